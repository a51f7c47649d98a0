package tabletest_test

import (
	"errors"
	"path/filepath"
	"testing"

	"regulars/shared/table"
	"regulars/shared/table/embedded"
	"regulars/shared/table/tabletest"
)

func TestFaulty(t *testing.T) {
	e, err := embedded.Open(filepath.Join(t.TempDir(), "table.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var next tabletest.Fault
	f := tabletest.Faulty(e, func([]table.Write) tabletest.Fault { return next })
	key := table.Key{PK: "p", SK: "s"}
	version := int64(0)
	for _, c := range []struct {
		fault   tabletest.Fault
		want    error
		applied bool
	}{
		{tabletest.None, nil, true},
		{tabletest.Conflict, table.ErrConflict, false},
		{tabletest.Failed, tabletest.ErrFailed, false},
		{tabletest.Lost, tabletest.ErrLost, true},
	} {
		next = c.fault
		if err := f.Write(t.Context(), table.Write{Item: table.Item{Key: key, Version: version + 1}}); !errors.Is(err, c.want) {
			t.Errorf("fault %d: %v, want %v", c.fault, err, c.want)
		}
		if c.applied {
			version++
		}
		if it, err := f.Get(t.Context(), key, true); err != nil || it.Version != version {
			t.Errorf("fault %d: version %d, want %d: %v", c.fault, it.Version, version, err)
		}
	}
}
