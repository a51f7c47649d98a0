package program_test

import (
	"testing"

	"regulars/shared/program"
)

// What is new must not be better than what those who are there can get (C42).
func TestParityOfOffers(t *testing.T) {
	for name, c := range map[string]struct{ doc, code string }{
		"the advocate gets as much":       {`{"referral": {"advocate": [{"rank": 1, "points": 50}], "friend": {"points": 50}}}`, ""},
		"a later rung is as much":         {`{"referral": {"advocate": [{"rank": 1, "points": 5}, {"rank": 3, "points": 50}], "friend": {"points": 50}}}`, ""},
		"the friend gets more":            {`{"referral": {"advocate": [{"rank": 1, "points": 49}], "friend": {"points": 50}}}`, program.ParityViolation},
		"only the friend gets something":  {`{"referral": {"friend": {"points": 1}}}`, program.ParityViolation},
		"a rule gives everyone as much":   {`{"referral": {"friend": {"points": 50}}, "earning": {"rules": [{"id": "gift", "on": "order", "points": 50}]}}`, ""},
		"a rule gives it with the first":  {`{"referral": {"friend": {"points": 50}}, "earning": {"rules": [{"id": "gift", "on": "order", "points": 50, "where": {"order_number": {"to": 1}}}]}}`, program.ParityViolation},
		"a voucher that nobody else gets": {`{"referral": {"advocate": [{"rank": 1, "points": 50}], "friend": {"reward": "cake"}}}`, program.ParityViolation},
		"a voucher that others get":       {`{"referral": {"advocate": [{"rank": 1, "reward": "cake"}], "friend": {"reward": "cake"}}}`, ""},
		"it is acknowledged":              {`{"referral": {"friend": {"points": 50}}, "acknowledge": ["offer.parity_violation"]}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if c.code != "" {
				if e := refusal(t, c.doc); e.Code != c.code || e.Details["path"] != "/referral/friend" {
					t.Errorf("refused with %s %v, want %s", e.Code, e.Details, c.code)
				}
			} else if _, err := program.Parse([]byte(c.doc), nil); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWhatAReferralMayNotSay(t *testing.T) {
	for doc, path := range map[string]string{
		`{"referral": {}}`:                          "/referral",
		`{"referral": {"advocate": [{"rank": 1}]}}`: "/referral/advocate/0",
		`{"referral": {"advocate": [{"rank": 1, "points": 1, "revenue": 1}]}}`:                                 "/referral/advocate/0",
		`{"referral": {"advocate": [{"rank": 1, "points": 1}, {"revenue": 5, "points": 1}]}}`:                  "/referral/advocate/1",
		`{"referral": {"advocate": [{"rank": 3, "points": 1}, {"rank": 3, "points": 2}]}}`:                     "/referral/advocate/1",
		`{"referral": {"advocate": [{"rank": 1, "points": -1}]}}`:                                              "/referral/advocate/0/points",
		`{"referral": {"advocate": [{"rank": 1, "points": 1}], "window": "P0D"}}`:                              "/referral/window",
		`{"referral": {"advocate": [{"rank": 1, "points": 1}], "fraud": {"household": "never"}}}`:              "/referral/fraud/household",
		`{"referral": {"advocate": [{"rank": 1, "points": 1}], "network": {"depth": 11, "decay": "0.5"}}}`:     "/referral/network/depth",
		`{"referral": {"advocate": [{"rank": 1, "points": 1}], "invite": {"orders": 0}}}`:                      "/referral/invite/orders",
		`{"referral": {"advocate": [{"rank": 1, "points": 1}], "limit": {}}}`:                                  "/referral/limit",
		`{"acknowledge": ["offer.parity"]}`:                                                                    "/acknowledge/0",
		`{"rewards": [{"id": "cake"}], "referral": {"advocate": [{"rank": 1, "reward": "pie", "points": 1}]}}`: "/referral/advocate/0/reward",
	} {
		if e := refusal(t, doc); e.Details["path"] != path {
			t.Errorf("%s: refused at %v, want %s", doc, e.Details["path"], path)
		}
	}
}
