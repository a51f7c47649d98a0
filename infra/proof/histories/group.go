package histories

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"

	"github.com/anishathalye/porcupine"
)

// mostMembers is how many members a group can have.
const mostMembers = 4

// group is a few members that may be merged with each other, and what its
// clients know of it. No request touches two groups.
type group struct {
	number  int
	members []string       // their ids
	index   map[string]int // by id

	left   int // requests that are still to be sent
	flying int // that are on their way

	mu      sync.Mutex
	sent    []request // what may be sent again
	holds   []string  // ids without prefix, by number; "": not known
	known   []int     // numbers of the holds whose ids are known
	orders  []request // the newest version that was sent, by number
	keys    int
	bodies  map[int][]byte // the answer that was given under a key
	fresh   map[int]bool   // whether it was given as the first one
	history []porcupine.Operation
	faults  []string // what no state of anything allows
}

func newGroup(number, left int) *group {
	return &group{
		number: number, left: left, index: map[string]int{}, bodies: map[int][]byte{}, fresh: map[int]bool{},
		holds: []string{""}, // numbers begin at 1
	}
}

// enrol makes the members.
func (g *group) enrol(ctx context.Context, url string) error {
	for i := range 2 + g.number%(mostMembers-1) {
		res, body, err := call(ctx, url, "POST", "/v1/members", map[string]any{"name": fmt.Sprint(g.number, name(i))}, nil)
		if err != nil {
			return err
		}
		var m struct{ ID string }
		if err := json.Unmarshal(body, &m); err != nil || res.StatusCode != http.StatusCreated {
			return fmt.Errorf("enrol was answered with %d %s", res.StatusCode, body)
		}
		g.members = append(g.members, m.ID)
		g.index[m.ID] = i
	}
	return nil
}

// learn notes the id of a hold.
func (g *group) learn(r request, id string) {
	for len(g.holds) <= r.Hold {
		g.holds = append(g.holds, "")
	}
	switch had := g.holds[r.Hold]; {
	case had == "":
		g.holds[r.Hold] = id
		g.known = append(g.known, r.Hold)
	case had != id:
		g.fault("#%d is both %s and %s", r.Hold, had, id)
	}
}

// repeated holds an answer under a key against those that were given before:
// the same bytes, and all but one of them marked as replayed.
func (g *group) repeated(key int, body []byte, replayed bool) {
	if had, ok := g.bodies[key]; ok && !bytes.Equal(had, body) {
		g.fault("key %d was answered with %s and with %s", key, had, body)
	}
	g.bodies[key] = body
	if !replayed {
		if g.fresh[key] {
			g.fault("key %d was answered twice as if it were the first time: %s", key, body)
		}
		g.fresh[key] = true
	}
}

func (g *group) fault(format string, args ...any) {
	g.faults = append(g.faults, fmt.Sprintf("group %d: "+format, append([]any{g.number}, args...)...))
}
