// Package yaml reads a program document that people wrote in YAML, as JSON:
// from there on it is the same document.
package yaml

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"regulars/shared/loyalty"
)

// maxDocument is how large a program document may be: it is stored as one
// item and read in one go.
const maxDocument = 64 << 10

// ToJSON reads a document that may be written in YAML. JSON is YAML too, but
// is left as it is: its own reader is the stricter one.
func ToJSON(contentType string, body []byte) ([]byte, error) {
	if len(body) > maxDocument {
		return nil, &loyalty.Error{Kind: loyalty.TooLarge, Code: "body_too_large", Detail: "a program document may have at most 64 KiB", Details: map[string]any{"most": maxDocument}}
	}
	if !strings.Contains(contentType, "yaml") && (strings.Contains(contentType, "json") || bytes.HasPrefix(bytes.TrimSpace(body), []byte("{"))) {
		return body, nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(body))
	var doc, more yaml.Node
	if err := dec.Decode(&doc); err != nil {
		line, _, _ := strings.Cut(err.Error(), "\n")
		return nil, loyalty.Malformed("/", "", "is neither JSON nor YAML: "+line)
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, loyalty.Malformed("/", "", "more than one YAML document")
	}
	v, err := value(&doc)
	if err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

// value is what a node says, as JSON knows it. A date is its text, an anchor
// or an alias nothing: a document that repeats itself can be far larger than
// it looks.
func value(n *yaml.Node) (any, error) {
	refuse := func(why string) (any, error) {
		return nil, loyalty.Malformed("line "+strconv.Itoa(n.Line), n.Value, why)
	}
	if n.Anchor != "" || n.Kind == yaml.AliasNode {
		return refuse("YAML anchors and aliases are not read: write the value where it belongs")
	}
	switch n.Kind {
	case yaml.DocumentNode:
		return value(n.Content[0])
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, c := range n.Content {
			var err error
			if list[i], err = value(c); err != nil {
				return nil, err
			}
		}
		return list, nil
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		for i := 0; i < len(n.Content); i += 2 {
			key := n.Content[i]
			if _, twice := m[key.Value]; twice || key.Kind != yaml.ScalarNode || key.Tag == "!!merge" {
				return nil, loyalty.Malformed("line "+strconv.Itoa(key.Line), key.Value, "must be a key of its own")
			}
			v, err := value(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			m[key.Value] = v
		}
		return m, nil
	}
	switch n.Tag {
	case "!!bool", "!!null":
		var v any
		if err := n.Decode(&v); err != nil {
			return refuse("cannot be read as what its tag says")
		}
		return v, nil
	case "!!int", "!!float": // 0100, 0x10 and 1_000 are numbers in YAML, and not the same ones to everybody
		if !json.Valid([]byte(n.Value)) {
			return refuse("is not a number that JSON knows")
		}
		return json.Number(n.Value), nil // exactly as written
	case "!!str", "!!timestamp":
		return n.Value, nil
	}
	return refuse("YAML tags are not read")
}
