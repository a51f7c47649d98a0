package runtimeapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Refresh does with the step function what the state machine of segments does
// in an execution with that input: it runs the definition that is deployed.
func (d *Deployment) Refresh(ctx context.Context, step *Process, input string) error {
	root, err := Root(ctx)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(filepath.Join(root, "infra", "segments.asl.json"))
	if err != nil {
		return err
	}
	var m machine
	if err := json.Unmarshal(raw, &m); err != nil {
		return err
	}
	var in any
	if err := json.Unmarshal([]byte(input), &in); err != nil {
		return err
	}
	_, err = m.run(ctx, scope{whole: &m, step: step}, in)
	return err
}

// machine is a definition in Amazon States Language (states-language.net), as
// much of it as that of segments uses. Nothing is tried again, what would run
// at once runs in turn, and an execution that is started is over at once.
type machine struct {
	StartAt string
	States  map[string]state
}

type state struct {
	Type, Resource, Next, Default, ItemsPath, Error string
	End                                             bool
	Parameters, ItemSelector                        map[string]any
	ResultPath                                      json.RawMessage // absent is $, null is nowhere
	ItemProcessor                                   machine
	Choices                                         []struct {
		Variable, Next           string
		IsPresent, BooleanEquals *bool
	}
	Catch []struct {
		ResultPath json.RawMessage
		Next       string
	}
}

// scope is what states see beside their input.
type scope struct {
	whole *machine
	step  *Process
	item  any // $$.Map.Item.Value
}

func (m machine) run(ctx context.Context, sc scope, data any) (any, error) {
	for at := m.StartAt; ; {
		s, ok := m.States[at]
		if !ok {
			return nil, fmt.Errorf("there is no state %q", at)
		}
		next := s.Next
		switch s.Type {
		case "Succeed":
			return data, nil
		case "Fail":
			return nil, fmt.Errorf("%s: %s", at, s.Error)
		case "Choice":
			next = s.choose(data)
		default:
			result, err := s.do(ctx, sc, data)
			path := s.ResultPath
			if err != nil && len(s.Catch) > 0 {
				result, path, next, err = map[string]any{"Error": "States.TaskFailed", "Cause": err.Error()}, s.Catch[0].ResultPath, s.Catch[0].Next, nil
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", at, err)
			}
			data = placed(data, result, path)
		}
		if s.End && next == "" {
			return data, nil
		}
		at = next
	}
}

func (s state) choose(data any) string {
	for _, c := range s.Choices {
		v, there := look(data, c.Variable)
		if c.IsPresent != nil && *c.IsPresent == there || c.BooleanEquals != nil && v == *c.BooleanEquals {
			return c.Next
		}
	}
	return s.Default
}

func (s state) do(ctx context.Context, sc scope, data any) (any, error) {
	switch s.Type {
	case "Pass":
		return sc.filled(s.Parameters, data)
	case "Map":
		items, _ := look(data, s.ItemsPath)
		list, ok := items.([]any)
		if !ok {
			return nil, fmt.Errorf("%s is %v and no list", s.ItemsPath, items)
		}
		var results []any
		for _, sc.item = range list {
			in := sc.item
			if s.ItemSelector != nil {
				var err error
				if in, err = sc.filled(s.ItemSelector, data); err != nil {
					return nil, err
				}
			}
			out, err := s.ItemProcessor.run(ctx, sc, in)
			if err != nil {
				return nil, err
			}
			results = append(results, out)
		}
		return results, nil
	}
	in := data
	if s.Parameters != nil {
		var err error
		if in, err = sc.filled(s.Parameters, data); err != nil {
			return nil, err
		}
	}
	if strings.HasSuffix(s.Resource, ":states:startExecution") {
		return sc.whole.run(ctx, scope{whole: sc.whole, step: sc.step}, in.(map[string]any)["Input"])
	}
	event, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	a, err := sc.step.Invoke(ctx, event)
	if err != nil {
		return nil, err
	}
	var out any
	err = json.Unmarshal(a.Body, &out)
	return out, err
}

// filled is a template with the values that it names.
func (sc scope) filled(template map[string]any, data any) (any, error) {
	out := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(template)) {
		name, dynamic := strings.CutSuffix(key, ".$")
		if !dynamic {
			out[key] = template[key]
			continue
		}
		var first, last, by int
		switch path := template[key].(string); {
		case path == "$$.Map.Item.Value":
			out[name] = sc.item
		case path == "$$.StateMachine.Id":
			out[name] = "local"
		case strings.HasPrefix(path, "States."):
			if n, err := fmt.Sscanf(path, "States.ArrayRange(%d, %d, %d)", &first, &last, &by); n < 3 {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			var list []any
			for i := first; i <= last; i += by {
				list = append(list, float64(i))
			}
			out[name] = list
		default:
			v, there := look(data, path)
			if !there {
				return nil, fmt.Errorf("%s is not there in %v", path, data)
			}
			out[name] = v
		}
	}
	return out, nil
}

// look reads a path such as $.a.b.
func look(data any, path string) (any, bool) {
	for _, name := range strings.Split(path, ".")[1:] {
		object, ok := data.(map[string]any)
		if !ok {
			return nil, false
		}
		if data, ok = object[name]; !ok {
			return nil, false
		}
	}
	return data, true
}

// placed is data with a result at a path: $, $.name or nowhere.
func placed(data, result any, path json.RawMessage) any {
	if bytes.Equal(path, []byte("null")) {
		return data
	}
	name := strings.TrimPrefix(cmp.Or(strings.Trim(string(path), `"`), "$"), "$")
	if name == "" {
		return result
	}
	object := maps.Clone(data.(map[string]any))
	object[name[1:]] = result
	return object
}
