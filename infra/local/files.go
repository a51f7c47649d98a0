package local

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"regulars/shared/simulation"
)

// Dir is a directory in place of a bucket.
type Dir string

var _ simulation.Files = Dir("")

func (d Dir) path(name string) string { return filepath.Join(string(d), filepath.FromSlash(name)) }

// Put implements simulation.Files. A file is there whole or not at all.
func (d Dir) Put(_ context.Context, name string, body []byte) error {
	path := d.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(path+unfinished, body, 0o600); err != nil {
		return err
	}
	return os.Rename(path+unfinished, path)
}

const unfinished = "~"

// Get implements simulation.Files.
func (d Dir) Get(_ context.Context, name string) ([]byte, error) { return os.ReadFile(d.path(name)) }

// List implements simulation.Files; a prefix is a directory.
func (d Dir) List(_ context.Context, prefix string) ([]string, error) {
	var names []string
	entries, err := os.ReadDir(d.path(prefix))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		if !e.IsDir() && !strings.HasSuffix(e.Name(), unfinished) {
			names = append(names, prefix+e.Name())
		}
	}
	slices.Sort(names)
	return names, err
}
