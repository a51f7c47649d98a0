// Command lambda is the function program.
package main

import (
	"regulars/functions/gateway"
	"regulars/functions/program"
	"regulars/shared/program/when"
	"regulars/shared/web"
)

func main() {
	gateway.Serve(func(g *web.Gate) web.Routes {
		g.Store.Expressions = when.Compiler{}
		return (&program.Handler{Gate: g}).Routes()
	})
}
