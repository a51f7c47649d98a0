package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
)

// bar is a line that shows how far something is.
type bar struct {
	out io.Writer

	mu   sync.Mutex
	last string
}

func (b *bar) show(what string, done, of int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	const wide = 30
	part := min(done, of) * 100 / max(1, of)
	full := int(part) * wide / 100
	line := fmt.Sprintf("[%s%s] %3d%%  %s", strings.Repeat("#", full), strings.Repeat(".", wide-full), part, what)
	if line != b.last {
		fmt.Fprintf(b.out, "\r%-*s", len(b.last), line)
		b.last = line
	}
}

func (b *bar) end() {
	if b.last != "" {
		fmt.Fprintln(b.out)
	}
}
