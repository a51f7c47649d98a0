package memory

import (
	"testing"

	"regulars/shared/table"
	"regulars/shared/table/tabletest"
)

func TestEngine(t *testing.T) {
	tabletest.Run(t, func(t *testing.T) table.Engine { return New() })
}

func TestFeed(t *testing.T) {
	tabletest.RunFeed(t, func(t *testing.T) (table.Engine, table.Feed) {
		e := New()
		return e, e
	})
}
