// Command lambda is the function earn.
package main

import (
	"time"

	"regulars/functions/earn"
	"regulars/functions/gateway"
	"regulars/shared/program/when"
	"regulars/shared/storefront"
	"regulars/shared/table"
	"regulars/shared/web"
)

func main() {
	gateway.Serve(func(g *web.Gate) web.Routes {
		g.Store.Expressions = when.Compiler{}
		h := &earn.Handler{Gate: g, Now: time.Now, Orders: func(c table.Connection, token string) storefront.OrderAPI {
			return storefront.HTTPOrderAPI{BaseURL: c.API, Token: token}
		}}
		return h.Routes()
	})
}
