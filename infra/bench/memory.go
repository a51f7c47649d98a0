package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// memory keeps a run's files where nothing has to be waited for.
type memory map[string][]byte

// Put implements refresh.Files.
func (m memory) Put(_ context.Context, name string, body []byte) error {
	m[name] = slices.Clone(body)
	return nil
}

// Get implements refresh.Files.
func (m memory) Get(_ context.Context, name string) ([]byte, error) {
	body, ok := m[name]
	if !ok {
		return nil, fmt.Errorf("there is no %s", name)
	}
	return body, nil
}

// List implements refresh.Files.
func (m memory) List(_ context.Context, prefix string) (names []string, err error) {
	for name := range m {
		if strings.HasPrefix(name, prefix) && !strings.Contains(name[len(prefix):], "/") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}
