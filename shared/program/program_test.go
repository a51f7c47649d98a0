package program_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"regulars/shared/loyalty"
	"regulars/shared/program"
	"regulars/shared/program/slip"
)

// rich says something of everything that a program can say.
var rich = string(slip.Rich)

// instead is the rich document with one thing written otherwise.
func instead(t testing.TB, old, new string) string {
	t.Helper()
	if strings.Count(rich, old) != 1 {
		t.Fatalf("%q stands %d times in the document", old, strings.Count(rich, old))
	}
	return strings.Replace(rich, old, new, 1)
}

func refusal(t testing.TB, doc string) *loyalty.Error {
	t.Helper()
	_, err := program.Parse([]byte(doc), nil)
	var e *loyalty.Error
	if !errors.As(err, &e) {
		t.Fatalf("taken, or not explained: %v", err)
	}
	return e
}

// Whatever cannot hold is refused by its path, its value and a reason; a name
// that is mistaken also with the one that was most likely meant.
func TestWhatAProgramMayNotSay(t *testing.T) {
	many := func(n int, entry string) string { return strings.TrimSuffix(strings.Repeat(entry+",", n), ",") }
	rows := []struct{ name, old, new, path, value, reason, nearest string }{
		{"a currency that is none", `"currency": "ILS"`, `"currency": "XXY"`, "/currency", "XXY", "ISO 4217", ""},
		{"a currency in lower case", `"currency": "ILS"`, `"currency": "ils"`, "/currency", "ils", "ISO 4217", "ILS"},
		{"a zone that is none", `"Asia/Jerusalem"`, `"Mars/Base"`, "/time_zone", "Mars/Base", "IANA", ""},
		{"a zone that is a file", `"Asia/Jerusalem"`, `"../etc/passwd"`, "/time_zone", "../etc/passwd", "IANA", ""},
		{"no zone", `"Asia/Jerusalem"`, `""`, "/time_zone", "", "IANA", ""},
		{"the machine's own zone", `"Asia/Jerusalem"`, `"Local"`, "/time_zone", "Local", "IANA", ""},
		{"no language", `["he", "en"]`, `[]`, "/languages", "[]", "at least one", ""},
		{"a language's name", `["he", "en"]`, `["he", "Hebrew"]`, "/languages/1", "Hebrew", "language code", ""},
		{"a week that begins on no day", `"week_starts": "sunday"`, `"week_starts": "sun"`, "/week_starts", "sun", "day of the week", "sunday"},
		{"a shop without https", `https://shop.example/`, `shop.example`, "/shop/url", "shop.example", "absolute", ""},
		{"points that pay nothing", `"point_value": {"points": 100, "amount": 500}`, `"point_value": {"points": 100, "amount": 0}`, "/point_value/amount", "0", "from 1 to", ""},
		{"no points that pay", `"point_value": {"points": 100`, `"point_value": {"points": 0`, "/point_value/points", "0", "from 1 to", ""},
		{"a rate of the own currency", `{"USD": "3.7"}`, `{"ILS": "1"}`, "/exchange/ILS", "ILS", "another currency", ""},
		{"a rate in lower case", `{"USD": "3.7"}`, `{"usd": "1"}`, "/exchange/usd", "usd", "another currency", "USD"},
		{"a rate of nothing", `{"USD": "3.7"}`, `{"USD": "0"}`, "/exchange/USD", "0", "more than 0", ""},
		{"a rate with an exponent", `{"USD": "3.7"}`, `{"USD": "1e9"}`, "/exchange/USD", "1e9", "decimal", ""},

		{"a basis", `"basis": "net"`, `"basis": "nett"`, "/earning/basis", "nett", "net, goods", "net"},
		{"a moment", `"when": "fulfilled"`, `"when": "fulfiled"`, "/earning/when", "fulfiled", "paid, fulfilled", "fulfilled"},
		{"a moment that never earns", `"when": "fulfilled"`, `"when": "cancelled"`, "/earning/when", "cancelled", "paid, fulfilled", ""},
		{"a rounding", `"half_up"`, `"half-up"`, "/earning/rounding", "half-up", "floor, half_up, ceil", "half_up"},
		{"a stacking", `"stacking": "multiply"`, `"stacking": "multiplied"`, "/earning/stacking", "multiplied", "best, add, multiply", "multiply"},
		{"a period in words", `"pending": "P14D"`, `"pending": "14 days"`, "/earning/pending", "14 days", "ISO 8601", ""},
		{"a period beyond any calendar", `"pending": "P14D"`, `"pending": "P9999Y"`, "/earning/pending", "P9999Y", "at most 100 years", ""},
		{"too many rules", `{"id": "base",`, many(100, `{"id": "x", "on": "order", "points": 1}`) + `, {"id": "base",`, "/earning/rules", "109", "from 0 to 100", ""},
		{"an id in capitals", `"id": "base"`, `"id": "Base"`, "/earning/rules/0/id", "Base", "a-z", ""},
		{"no id", `"id": "base", `, ``, "/earning/rules/0/id", "", "1 to 40", ""},
		{"one id for two rules", `"id": "coffee", "on"`, `"id": "base", "on"`, "/earning/rules/1/id", "base", "two have", ""},
		{"a name in no language", `"en": "A point a shekel"`, `"English": "A point"`, "/earning/rules/0/name/English", "English", "language code", ""},
		{"a name that is empty", `"en": "A point a shekel"`, `"en": ""`, "/earning/rules/0/name/en", "", "1 to 120", ""},
		{"a name with markup", `"en": "A point a shekel"`, `"en": "<b>"`, "/earning/rules/0/name/en", "<b>", "without <", ""},
		{"a rule on something else", `"on": "order", "rate": {"points": 1,`, `"on": "ordr", "rate": {"points": 1,`, "/earning/rules/0/on", "ordr", "order, activity", "order"},
		{"a rule that gives nothing", `"on": "order", "rate": {"points": 1, "amount": 100}`, `"on": "order"`, "/earning/rules/0", "base", "exactly one of", ""},
		{"a rule that gives in two ways", `"on": "order", "rate": {"points": 1,`, `"on": "order", "points": 5, "rate": {"points": 1,`, "/earning/rules/0", "base", "exactly one of", ""},
		{"a rate per nothing", `"rate": {"points": 1, "amount": 100}`, `"rate": {"points": 1, "amount": 0}`, "/earning/rules/0/rate/amount", "0", "from 1 to", ""},
		{"a rate below zero", `"rate": {"points": 1, "amount": 100}`, `"rate": {"points": -1, "amount": 100}`, "/earning/rules/0/rate/points", "-1", "from 0 to", ""},
		{"a multiplier that takes away", `"2.5"`, `"0.5"`, "/earning/rules/1/multiplier", "0.5", "from 1 to 1000", ""},
		{"a multiplier that is no number", `"2.5"`, `"double"`, "/earning/rules/1/multiplier", "double", "decimal", ""},
		{"a priority beyond bounds", `"priority": 10`, `"priority": 1001`, "/earning/rules/1/priority", "1001", "from -1000 to 1000", ""},
		{"a group with spaces", `"priority": 10, "group": "boost"`, `"group": "the best"`, "/earning/rules/1/group", "the best", "a-z", ""},
		{"an expression too long", `"group": "boost", "when": "line.category == 'coffee'"`, `"when": "` + strings.Repeat("x", 1001) + `"`, "/earning/rules/1/when", "", "at most 1000 bytes", ""},
		{"an SKU that is empty", `"skus": ["A"]`, `"skus": [""]`, "/earning/rules/1/where/skus/0", "", "1 to 200 bytes", ""},
		{"too many SKUs", `"skus": ["A"]`, `"skus": [` + many(501, `"A"`) + `]`, "/earning/rules/1/where/skus", "501", "from 1 to 500", ""},
		{"no SKU of which one has to be met", `"skus": ["A"]`, `"skus": []`, "/earning/rules/1/where/skus", "0", "from 1 to 500", ""},
		{"no weekday", `"weekdays": ["friday"]`, `"weekdays": []`, "/earning/rules/1/during/weekdays", "0", "from 1 to 7", ""},
		{"no hours", `[{"from": "22:00", "to": "02:00"}]`, `[]`, "/earning/rules/1/during/hours", "0", "from 1 to 24", ""},
		{"a tier by a wrong name", `"tiers": ["gold"]`, `"tiers": ["silver", "gloden"]`, "/earning/rules/1/where/tiers/1", "gloden", "no tier", "gold"},
		{"an attribute without values", `"diet": ["vegan"]`, `"diet": []`, "/earning/rules/1/where/attributes/diet", "0", "from 1 to 500", ""},
		{"an attribute that is null", `"diet": ["vegan"]`, `"diet": null`, "/earning/rules/1/where/attributes/diet", "null", "must list", ""},
		{"an attribute in capitals", `"diet": ["vegan"]`, `"Diet": ["vegan"]`, "/earning/rules/1/where/attributes/Diet", "Diet", "a-z", ""},
		{"an order number of nothing", `{"from": 2, "to": 5}`, `{}`, "/earning/rules/1/where/order_number", "0 to 0", "a from or a to", ""},
		{"order numbers turned round", `{"from": 2, "to": 5}`, `{"from": 5, "to": 2}`, "/earning/rules/1/where/order_number", "5 to 2", "not below from", ""},
		{"an order number below zero", `{"from": 2, "to": 5}`, `{"from": -2, "to": 5}`, "/earning/rules/1/where/order_number/from", "-2", "from 0 to", ""},
		{"a minimum below zero", `"minimum_amount": 5000`, `"minimum_amount": -1`, "/earning/rules/1/where/minimum_amount", "-1", "from 0 to", ""},
		{"a number of pieces below zero", `"minimum_quantity": 2`, `"minimum_quantity": -2`, "/earning/rules/1/where/minimum_quantity", "-2", "from 0 to", ""},
		{"a window that says nothing", `{"dates": ["2027-03-26"]}`, `{}`, "/earning/rules/2/during", "{}", "must say when", ""},
		{"dates beside a span", `{"dates": ["2027-03-26"]}`, `{"dates": ["2027-03-26"], "from": "2027-01-01"}`, "/earning/rules/2/during/dates", "2027-03-26", "beside from and until", ""},
		{"a 30th of February", `{"dates": ["2027-03-26"]}`, `{"dates": ["2027-02-30"]}`, "/earning/rules/2/during/dates/0", "2027-02-30", "a date such as", ""},
		{"too many dates", `{"dates": ["2027-03-26"]}`, `{"dates": [` + many(367, `"2027-03-26"`) + `]}`, "/earning/rules/2/during/dates", "367", "from 1 to 366", ""},
		{"a span that ends before it begins", `"until": "2027-03-31"`, `"until": "2027-02-28"`, "/earning/rules/1/during/until", "2027-02-28", "not be before from", ""},
		{"a first day that is none", `"from": "2027-03-01"`, `"from": "1 March"`, "/earning/rules/1/during/from", "1 March", "a date such as", ""},
		{"a weekday cut short", `"weekdays": ["friday"]`, `"weekdays": ["friday", "fri"]`, "/earning/rules/1/during/weekdays/1", "fri", "day of the week", "friday"},
		{"an hour that is none", `"to": "02:00"`, `"to": "25:00"`, "/earning/rules/1/during/hours/0/to", "25:00", "time of the day", ""},
		{"an hour of one digit", `"to": "02:00"`, `"to": "2:00"`, "/earning/rules/1/during/hours/0/to", "2:00", "time of the day", ""},
		{"hours that begin at the end of the day", `"from": "22:00"`, `"from": "24:00"`, "/earning/rules/1/during/hours/0/from", "24:00", "the next day begins", ""},
		{"a limit of nothing", `{"times": 2, "points": 100, "per": "P1M"}`, `{"per": "P1M"}`, "/earning/rules/1/limit", "{}", "how many times", ""},
		{"a limit below zero", `{"times": 2, "points": 100,`, `{"times": -2, "points": 100,`, "/earning/rules/1/limit/times", "-2", "from 0 to", ""},
		{"a limit per a period of no calendar", `"points": 100, "per": "P1M"`, `"points": 100, "per": "P1M1D"`, "/earning/rules/1/limit/per", "P1M1D", "a number of months", ""},
		{"a budget below zero", `"budget": 10000`, `"budget": -1`, "/earning/rules/1/budget", "-1", "from 0 to", ""},
		{"a budget of an activity", `"activity": "own_cup", "points": 10`, `"activity": "own_cup", "budget": 5, "points": 10`, "/earning/rules/8/budget", "5", "on: order", ""},
		{"a threshold of an activity", `"on": "order", "every"`, `"on": "activity", "activity": "x", "every"`, "/earning/rules/4/every", "each-500", "on: order", ""},
		{"a threshold of nothing", `"every": {"points": 20, "amount": 50000}`, `"every": {"points": 20, "amount": 0}`, "/earning/rules/4/every/amount", "0", "from 1 to", ""},
		{"a threshold that gives nothing", `"every": {"points": 20, "amount": 50000}`, `"every": {"points": 0, "amount": 50000}`, "/earning/rules/4/every/points", "0", "from 1 to", ""},
		{"a threshold with a limit", `"every": {"points": 20, "amount": 50000}`, `"limit": {"times": 1}, "every": {"points": 20, "amount": 50000}`, "/earning/rules/4", "each-500", "has no limit", ""},
		{"a card of no stamps", `"size": 10`, `"size": 0`, "/earning/rules/5/punch_card/size", "0", "from 1 to", ""},
		{"a card of an activity", `"on": "order", "punch_card"`, `"on": "activity", "activity": "x", "punch_card"`, "/earning/rules/5/punch_card", "card", "on: order", ""},
		{"a card for nothing", `, "reward": "free-coffee"}},`, `}},`, "/earning/rules/5/punch_card/reward", "", "1 to 40", ""},
		{"a card for a reward by a wrong name", `, "reward": "free-coffee"}},`, `, "reward": "free-cofee"}},`, "/earning/rules/5/punch_card/reward", "free-cofee", "no reward", "free-coffee"},
		{"two expressions", `"on": "order", "punch_card"`, `"on": "order", "when": "true", "punch_card"`, "/earning/rules/5/punch_card/when", "line.category == 'coffee'", "one expression", ""},
		{"a wallet by a wrong name", `"on": "order", "wallet": "cash"`, `"on": "order", "wallet": "cahs"`, "/earning/rules/6/wallet", "cahs", "no wallet", "cash"},
		{"an activity of an order", `"on": "order", "wallet": "cash"`, `"on": "order", "activity": "topup", "wallet": "cash"`, "/earning/rules/6/activity", "topup", "on: activity", ""},
		{"a rule on no activity", `"on": "activity", "activity": "own_cup"`, `"on": "activity"`, "/earning/rules/8/activity", "", "on: activity", ""},
		{"an activity in capitals", `"activity": "own_cup"`, `"activity": "OwnCup"`, "/earning/rules/8/activity", "OwnCup", "a-z", ""},
		{"goods of an activity", `"rate": {"points": 5, "amount": 100}, "where": {"minimum_amount": 1000}`, `"rate": {"points": 5, "amount": 100}, "where": {"skus": ["A"]}`, "/earning/rules/7/where", "", "no goods", ""},
		{"a pause between orders", `"every": {"points": 20`, `"cooldown": "P1D", "every": {"points": 20`, "/earning/rules/4/cooldown", "P1D", "on: activity", ""},
		{"a multiplier of activities for so many points", `"activity": "own_cup", "points": 10, "limit": {"times": 1,`, `"activity": "own_cup", "multiplier": "2", "limit": {"points": 1,`, "/earning/rules/8/limit/points", "1", "only times", ""},
		{"a key by a wrong name", `"multiplier": "2.5"`, `"multiplyer": "2.5"`, "/earning/rules/1/multiplyer", "", "unknown key", "multiplier"},
		{"a key of a filter by a wrong name", `"categories": ["coffee"]`, `"category": ["coffee"]`, "/earning/rules/1/where/category", "", "unknown key", "categories"},

		{"points that die at once", `{"after": "P12M", "to_end_of": "month"}`, `{"after": "P0D"}`, "/expiry/after", "P0D", "expiry: none", ""},
		{"to the end of the week", `"to_end_of": "month"`, `"to_end_of": "months"`, "/expiry/to_end_of", "months", "none, day, month", "month"},
		{"another word for none", `{"after": "P12M", "to_end_of": "month"}`, `"None"`, "/expiry", "None", "none or an object", "none"},
		{"a key of the expiry", `"to_end_of": "month"`, `"to_end": "month"`, "/expiry/to_end", "", "unknown key", "to_end_of"},
		{"a policy", `"clamp"`, `"clampp"`, "/clawback", "clampp", "debt, clamp, negative", "clamp"},
		{"a hold of no length", `"PT15M"`, `"PT0S"`, "/hold/timeout", "PT0S", "longer than nothing", ""},
		{"more than an order", `"max_share_of_order": "0.5"`, `"max_share_of_order": "1.1"`, "/redemption/max_share_of_order", "1.1", "from 0 to 1", ""},
		{"a redemption of nothing", `"minimum": 50`, `"minimum": 0`, "/redemption/minimum", "0", "from 1 to", ""},
		{"half a point", `"minimum": 50`, `"minimum": 1.5`, "/redemption/minimum", "1.5", "whole number", ""},

		{"a measure", `"spend"`, `"spent"`, "/tiers/qualify_by", "spent", "base_points, spend, orders", "spend"},
		{"a window in days", `"window": "P12M"`, `"window": "P30D"`, "/tiers/window", "P30D", "number of months", ""},
		{"a validity of nothing", `"validity": "P12M"`, `"validity": "P0D"`, "/tiers/validity", "P0D", "longer than nothing", ""},
		{"a warning from the first day", `"warning": "P30D"`, `"warning": "P12M"`, "/tiers/warning", "P12M", "shorter than validity", ""},
		{"a way down", `"period_end"`, `"at-once"`, "/tiers/downgrade", "at-once", "period_end, at_once, never", "at_once"},
		{"a way over a threshold", `"split_at_threshold"`, `"split_at_treshold"`, "/tiers/crossing", "split_at_treshold", "tier_before, split_at_threshold", "split_at_threshold"},
		{"a key of the tiers", `"qualify_by"`, `"qualifyby"`, "/tiers/qualifyby", "", "unknown key", "qualify_by"},
		{"two levels of one name", `"levels": [`, `"levels": [{"id": "silver", "from": 1}, `, "/tiers/levels/1/id", "silver", "two have", ""},
		{"levels turned round", `"from": 1500`, `"from": 500`, "/tiers/levels/1/from", "500", "more than the level before", ""},
		{"a level that takes away", `"1.25"`, `"0.9"`, "/tiers/levels/0/multiplier", "0.9", "from 1 to", ""},
		{"a benefit in capitals", `"return_days"`, `"ReturnDays"`, "/tiers/levels/0/benefits/ReturnDays", "ReturnDays", "a-z", ""},
		{"a benefit that is half", `"return_days": 60`, `"return_days": 1.5`, "/tiers/levels/0/benefits/return_days", "1.5", "whole number", ""},
		{"a benefit that is a list", `"return_days": 60`, `"return_days": [60]`, "/tiers/levels/0/benefits/return_days", "[60]", "true, false", ""},
		{"a benefit that is empty", `"express"`, `""`, "/tiers/levels/1/benefits/line", "", "1 to 200 bytes", ""},

		{"a wallet of no kind", `"kind": "cashback"`, `"kind": "cash"`, "/wallets/0/kind", "cash", "cashback, bonus", "cashback"},
		{"points as a wallet", `"id": "cash", "kind"`, `"id": "points", "kind"`, "/wallets/0/id", "points", "two have", ""},
		{"a bonus that is paid out", `"kind": "bonus"`, `"kind": "bonus", "minimum_payout": 5`, "/wallets/1/minimum_payout", "5", "cannot be paid out", ""},
		{"a payout below zero", `"minimum_payout": 1000`, `"minimum_payout": -1`, "/wallets/0/minimum_payout", "-1", "from 0 to", ""},
		{"a wallet that dies at once", `{"after": "P6M"}`, `{"after": "PT0S"}`, "/wallets/1/expiry/after", "PT0S", "longer than nothing", ""},
		{"a key of a wallet's expiry", `{"after": "P6M"}`, `{"aftr": "P6M"}`, "/wallets/1/expiry/aftr", "", "unknown key", "after"},
		{"a reward for no time", `"lasts": "P30D"`, `"lasts": "a month"`, "/rewards/0/lasts", "a month", "ISO 8601", ""},
		{"a reward without an id", `"rewards": [{"id": "free-coffee"`, `"rewards": [{"id": "free coffee"`, "/rewards/0/id", "free coffee", "a-z", ""},

		{"something to count", `"count": "stores"`, `"count": "store"`, "/achievements/0/count", "store", "orders, quantity, amount, stores, activities", "stores"},
		{"nothing to reach", `"reach": 2`, `"reach": 0`, "/achievements/0/reach", "0", "from 1 to", ""},
		{"a goal by a rule's id", `"id": "explorer"`, `"id": "base"`, "/achievements/0/id", "base", "two have", ""},
		{"a goal that gives nothing", `"repeat": true, "points": 100,`, `"repeat": true,`, "/achievements/1", "weekly", "points, a reward or a badge", ""},
		{"a goal's reward by a wrong name", `"reach": 2, "reward": "free-coffee"`, `"reach": 2, "reward": "fre-coffee"`, "/achievements/0/reward", "fre-coffee", "no reward", "free-coffee"},
		{"activities of no type", `"activity": "review", `, ``, "/achievements/2/activity", "", "count: activities", ""},
		{"a type of activity where none is counted", `"count": "stores"`, `"count": "stores", "activity": "review"`, "/achievements/0/activity", "review", "count: activities", ""},
		{"a streak by the hour", `"streak": "P1W"`, `"streak": "PT1H"`, "/achievements/1/streak", "PT1H", "days, weeks or months", ""},
		{"a streak longer than is kept", `"reach": 4`, `"reach": 61`, "/achievements/1/reach", "61", "from 1 to 60", ""},
		{"a streak of stores", `"reach": 2,`, `"reach": 2, "streak": "P1W",`, "/achievements/0/count", "stores", "of orders or of activities", ""},

		{"an automatic reward by a goal's id", `"id": "half-year"`, `"id": "explorer"`, "/automatic_rewards/0/id", "explorer", "two have", ""},
		{"half months", `"average_per": "P1M"`, `"average_per": "P15D"`, "/automatic_rewards/0/average_per", "P15D", "whole months", ""},
		{"a part that does not fit", `"average_per": "P1M"`, `"average_per": "P4M"`, "/automatic_rewards/0/average_per", "P4M", "a multiple", ""},
		{"a choice that stays open too long", `"choose_within": "P30D"`, `"choose_within": "P7M"`, "/automatic_rewards/0/choose_within", "P7M", "before the next period", ""},
		{"brackets turned round", `"from": 10000, "choices"`, `"from": 5000, "choices"`, "/automatic_rewards/0/brackets", "half-year", "the lowest from", ""},
		{"a bracket of nothing", `"from": 5000, "choices"`, `"from": 0, "choices"`, "/automatic_rewards/0/brackets/0/from", "0", "from 1 to", ""},
		{"nothing to choose", `[{"id": "points", "points": 100}]`, `[]`, "/automatic_rewards/0/brackets/0/choices", "0", "from 1 to 10", ""},
		{"a choice of two things", `{"id": "points", "points": 300}`, `{"id": "points", "points": 300, "reward": "free-coffee"}`, "/automatic_rewards/0/brackets/1/choices/0", "points", "either points or a reward", ""},
		{"a default that is money", `[{"id": "points", "points": 300}, `, `[`, "/automatic_rewards/0/brackets/1/choices/0", "money", "the first choice", ""},
		{"a choice's wallet by a wrong name", `"id": "money", "wallet": "bonus"`, `"id": "money", "wallet": "bonsu"`, "/automatic_rewards/0/brackets/1/choices/1/wallet", "bonsu", "no wallet", "bonus"},
		{"a key of an automatic reward", `"choose_within": "P30D"`, `"chose_within": "P30D"`, "/automatic_rewards/0/chose_within", "", "unknown key", "choose_within"},

		{"a plan without a beginning", `"activity": "plus_paid", `, ``, "/plans/0/activity", "", "a-z", ""},
		{"a plan that ends as it begins", `"plus_ended"`, `"plus_paid"`, "/plans/0/ends_with", "plus_paid", "another activity", ""},
		{"a plan of no length", `"lasts": "P1Y"`, `"lasts": "P0D"`, "/plans/0/lasts", "P0D", "longer than nothing", ""},
		{"a plan's tier by a wrong name", `"lasts": "P1Y", "tier": "gold"`, `"lasts": "P1Y", "tier": "glod"`, "/plans/0/tier", "glod", "no tier", "gold"},
		{"a plan's benefit that is null", `"tier": "gold", "benefits": {"free_delivery": true}`, `"benefits": {"free_delivery": null}`, "/plans/0/benefits/free_delivery", "<nil>", "true, false", ""},

		{"a rollout for nobody", `{"stores": ["tlv-1"]}`, `{}`, "/rollout", "", "by stores, by regions or by a percentage", ""},
		{"a rollout in two ways", `{"stores": ["tlv-1"]}`, `{"stores": ["tlv-1"], "percent": 5}`, "/rollout", "", "by stores, by regions or by a percentage", ""},
		{"more than all members", `{"stores": ["tlv-1"]}`, `{"percent": 101}`, "/rollout/percent", "101", "from 0 to 100", ""},
		{"a rollout to a store without a name", `{"stores": ["tlv-1"]}`, `{"stores": [""]}`, "/rollout/stores/0", "", "1 to 200 bytes", ""},

		{"a key at the top", `"currency"`, `"curency"`, "/curency", "", "unknown key", "currency"},
		{"a key like no other", `"currency"`, `"xyzzy"`, "/xyzzy", "", "unknown key", ""},
		{"a key twice", `"clawback": "clamp"`, `"clawback": "clamp", "Clawback": "debt"`, "/Clawback", "Clawback", "twice", ""},
	}
	for _, c := range rows {
		t.Run(c.name, func(t *testing.T) {
			e := refusal(t, instead(t, c.old, c.new))
			d := e.Details
			nearest, _ := d["nearest"].(string)
			if e.Kind != loyalty.Invalid || d["path"] != c.path || nearest != c.nearest || !strings.Contains(fmt.Sprint(d["reason"]), c.reason) || !strings.HasPrefix(fmt.Sprint(d["value"]), c.value) {
				t.Errorf("%s %v", e.Code, d)
			}
		})
	}
	t.Run("a list instead of a program", func(t *testing.T) {
		if e := refusal(t, "[]"); e.Details["path"] != "/" {
			t.Errorf("%v", e.Details)
		}
	})
	t.Run("a level by level that there are none", func(t *testing.T) {
		if e := refusal(t, `{"tiers": {"levels": []}}`); e.Code != "invalid_program" || e.Details["path"] != "/tiers/levels" {
			t.Errorf("%s %v", e.Code, e.Details)
		}
	})
	t.Run("a version where none is asked for", func(t *testing.T) {
		if e := refusal(t, `{"version": 3}`); e.Details["path"] != "/version" {
			t.Errorf("%v", e.Details)
		}
	})
}

// A stored document reads back as it was, every default written out.
func TestDocumentsKeepTheirMeaning(t *testing.T) {
	for _, doc := range []string{`{}`, `{"expiry": "none"}`, `{"expiry": {"after": "P6M"}}`, `{"earning": {"rules": []}, "exchange": {"USD": "3.7"}, "clawback": "clamp"}`, rich} {
		d, err := program.Parse([]byte(doc), nil)
		if err != nil {
			t.Fatalf("%s: %v", doc, err)
		}
		raw, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		again, err := program.Parse(raw, nil)
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if diff := cmp.Diff(d, again); diff != "" {
			t.Errorf("%s: %s", doc, diff)
		}
	}
}

// The example in the README can be published as it stands.
func TestTheExampleOfTheREADME(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	example, _, found := strings.Cut(rest, "```")
	var doc any
	if err := yaml.Unmarshal([]byte(example), &doc); err != nil || !found {
		t.Fatal(err)
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := program.Parse(raw, nil); err != nil {
		t.Error(err)
	}
}

// Every setting stands in the README's table.
func TestEverySettingIsInTheREADME(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	table, _, _ := strings.Cut(string(text), "## A rule of each kind")
	var walk func(at reflect.Type)
	seen := map[reflect.Type]bool{}
	walk = func(at reflect.Type) {
		for at.Kind() == reflect.Pointer || at.Kind() == reflect.Slice {
			at = at.Elem()
		}
		if at.Kind() != reflect.Struct || seen[at] {
			return
		}
		seen[at] = true
		for i := range at.NumField() {
			name, _, _ := strings.Cut(at.Field(i).Tag.Get("json"), ",")
			if name != "" && name != "-" && !regexp.MustCompile(`\b`+name+`\b`).MatchString(table) {
				t.Errorf("%s of %s is not told", name, at.Name())
			}
			walk(at.Field(i).Type)
		}
	}
	walk(reflect.TypeFor[program.Document]())
}
