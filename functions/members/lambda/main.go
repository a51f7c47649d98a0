// Command lambda is the function members.
package main

import (
	"regulars/functions/gateway"
	"regulars/functions/members"
	"regulars/shared/web"
)

func main() {
	gateway.Serve(func(g *web.Gate) web.Routes { return (&members.Handler{Gate: g}).Routes() })
}
