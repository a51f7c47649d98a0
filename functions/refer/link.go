package refer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"regulars/shared/code"
	"regulars/shared/code/qr"
	"regulars/shared/loyalty"
	"regulars/shared/table"
	"regulars/shared/web"
)

// parameter is what the shop reads the code from.
const parameter = "ref"

// mostQuery is how much of a link's query is handed on, bytes.
const mostQuery = 2000

// link counts a click on a personal link and leads to the shop: to the address
// that the program states and nowhere else, whatever the request says. The
// query is kept, so that a campaign is still known there.
func (h *Handler) link(ctx context.Context, r *web.Request) (web.Answer, error) {
	c, owner, err := h.owner(ctx, r)
	if err != nil {
		return web.Answer{}, err
	}
	var to *url.URL
	bot := isBot(r)
	visitor := visitorOf(r, owner.Program, bot)
	err = h.Gate.Store.Update(ctx, owner.Program, func(tx *table.Tx) error {
		t, err := tx.Terms()
		if err != nil {
			return err
		}
		if to, err = h.shop(r, t); err != nil {
			return err
		}
		return tx.PutClick(c, visitor, bot, h.Gate.Clock().In(t.Zone))
	})
	if err != nil {
		return web.Answer{}, err
	}
	query := to.Query()
	if len(r.URL.RawQuery) <= mostQuery {
		for name, values := range r.URL.Query() {
			if _, own := query[name]; !own { // what the program states stands
				query[name] = values
			}
		}
	}
	query.Set(parameter, c)
	to.RawQuery = query.Encode()
	return web.Answer{Body: web.Redirect(to.String())}, nil
}

// owner is whom the link in the path belongs to: one read. Missing for a code
// that is none or leads to nobody.
func (h *Handler) owner(ctx context.Context, r *web.Request) (string, *table.CodeOwner, error) {
	c, ok := code.Normalize(r.PathValue("code"))
	if !ok {
		return "", nil, loyalty.NotFound("link")
	}
	owner, err := h.Gate.Store.CodeOwner(ctx, c)
	if err == nil && owner == nil {
		err = loyalty.NotFound("link")
	}
	return c, owner, err
}

// shop is where links lead.
func (h *Handler) shop(r *web.Request, t *loyalty.Terms) (*url.URL, error) {
	to := t.Shop
	if to == "" && h.Home != "" {
		to = address(r) + h.Home
	}
	u, err := url.Parse(to)
	if err != nil || u.Host == "" { // the program is checked for it: it names none
		return nil, loyalty.NotFound("shop to lead to: the program names none")
	}
	return u, nil
}

// picture is the link as a QR code, to print or to show at a till.
func (h *Handler) picture(ctx context.Context, r *web.Request) (web.Answer, error) {
	c, _, err := h.owner(ctx, r)
	if err != nil {
		return web.Answer{}, err
	}
	svg, err := qr.SVG(address(r) + "/r/" + url.PathEscape(c))
	return web.Answer{Body: web.SVG(svg)}, err
}

// address is where this API was asked, for links to it.
func address(r *web.Request) string {
	host, _, err := net.SplitHostPort(r.Host)
	if err == nil && (host == "localhost" || net.ParseIP(host).IsLoopback()) {
		return "http://" + r.Host
	}
	return "https://" + r.Host
}

// visitorOf knows a visitor again on the same day, and leads back to nobody. A
// browser that reads ahead for a person is another than the person.
func visitorOf(r *web.Request, program string, bot bool) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	sum := sha256.Sum256(fmt.Append(nil, program, "/", host, "/", bot, "/", r.UserAgent()))
	return hex.EncodeToString(sum[:8])
}

// robots are words of user agents that are no people: crawlers, programs, and
// what messengers send ahead to draw a preview of a link. The browsers inside
// messengers have the messengers' names too, and people before them.
var robots = []string{
	"bot", "crawl", "spider", "slurp", "preview", "facebookexternalhit", "whatsapp", "viber", "embedly", "pinterest/0", "vkshare",
	"curl", "wget", "python", "go-http-client", "java/", "okhttp", "node-fetch", "axios", "headless", "lighthouse", "scan", "monitor",
}

// isBot tells whether what follows a link says that it is no person's doing.
func isBot(r *web.Request) bool {
	agent := strings.ToLower(r.UserAgent())
	if agent == "" || r.Method == http.MethodHead || strings.Contains(r.Header.Get("Sec-Purpose")+r.Header.Get("Purpose"), "prefetch") {
		return true
	}
	for _, word := range robots {
		if strings.Contains(agent, word) {
			return true
		}
	}
	return false
}
