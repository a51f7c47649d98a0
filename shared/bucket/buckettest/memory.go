// Package buckettest keeps the files of long runs in memory, for tests and
// measurements that are not about S3.
package buckettest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Memory is a bucket in memory, empty at first. It is refresh.Files and
// simulation.Files.
type Memory struct {
	Fail func(name string) error // before a file is written; nil: never

	mu    sync.Mutex
	files map[string][]byte
}

// Put keeps a copy of the file. The error is Fail's.
func (m *Memory) Put(_ context.Context, name string, body []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.Fail != nil {
		if err := m.Fail(name); err != nil {
			return err
		}
	}
	if m.files == nil {
		m.files = map[string][]byte{}
	}
	m.files[name] = bytes.Clone(body)
	return nil
}

// Get is a file, not to be changed. The error is for one that is not there.
func (m *Memory) Get(_ context.Context, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	body, ok := m.files[name]
	if !ok {
		return nil, fmt.Errorf("there is no %s", name)
	}
	return body, nil
}

// List is the names that begin with a prefix, in order, and none below a
// further slash.
func (m *Memory) List(_ context.Context, prefix string) (names []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name := range m.files {
		if strings.HasPrefix(name, prefix) && !strings.Contains(name[len(prefix):], "/") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}
