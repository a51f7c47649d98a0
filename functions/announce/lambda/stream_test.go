package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regulars/events"
	"regulars/functions/announce"
	"regulars/functions/changes"
	"regulars/shared/table"
	"regulars/shared/table/embedded"
)

type memory struct {
	refuses string
	took    []string
}

func (m *memory) Put(_ context.Context, batch []events.Event) ([]bool, error) {
	taken := make([]bool, len(batch))
	for i, e := range batch {
		if taken[i] = e.ID != m.refuses; taken[i] {
			m.took = append(m.took, e.ID)
		}
	}
	return taken, nil
}

// profiles are the changes that new members make.
func profiles(t *testing.T, members ...string) (list []table.Change) {
	t.Helper()
	e, err := embedded.Open(filepath.Join(t.TempDir(), "table.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for _, m := range members {
		if err := table.NewStore(e).Update(t.Context(), "shop1", func(tx *table.Tx) error {
			return tx.Enrol(&table.Profile{Member: m, CreatedAt: 1773561600})
		}); err != nil {
			t.Fatal(err)
		}
	}
	changes, _, err := e.Changes(t.Context(), "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		if c.SK == "PROFILE" {
			list = append(list, c)
		}
	}
	return list
}

// image is an item as a stream record has it.
func image(t *testing.T, it table.Item) string {
	t.Helper()
	if it.Version == 0 {
		return "null"
	}
	raw, err := json.Marshal(map[string]any{
		table.AttrPK: map[string]any{"S": it.PK}, table.AttrSK: map[string]any{"S": it.SK},
		table.AttrVersion: map[string]any{"N": fmt.Sprint(it.Version)}, table.AttrBody: map[string]any{"B": it.Body},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// recordOf is a record as Lambda gives it, with all that is not read here.
func recordOf(t *testing.T, n int, c table.Change) string {
	t.Helper()
	return fmt.Sprintf(`{"eventID": "e%d", "eventName": "MODIFY", "eventVersion": "1.1", "eventSource": "aws:dynamodb", "awsRegion": "il-central-1",
		"dynamodb": {"ApproximateCreationDateTime": 1773561600, "Keys": {"pk": {"S": %q}, "sk": {"S": %q}}, "SequenceNumber": "%d", "SizeBytes": 1,
		"StreamViewType": "NEW_AND_OLD_IMAGES", "OldImage": %s, "NewImage": %s}, "eventSourceARN": "arn"}`, n, c.PK, c.SK, n, image(t, c.Old), image(t, c.New))
}

// handle passes a Lambda event through and answers what Lambda gets.
func handle(t *testing.T, m *memory, records ...string) string {
	t.Helper()
	var b changes.Batch
	if err := json.Unmarshal([]byte(`{"Records": [`+strings.Join(records, ",")+`]}`), &b); err != nil {
		t.Fatal(err)
	}
	h := announce.Handler{Bus: m}
	a, err := changes.Reader(h.Announce).Handle(t.Context(), b)
	if err != nil {
		t.Fatalf("an error makes Lambda give the whole batch again: %v", err)
	}
	raw, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestStream(t *testing.T) {
	const none, poison = `{"batchItemFailures":[]}`, `{"eventID": "x", "dynamodb": {"SequenceNumber": "%d", "NewImage": {"pk": {"S": "shop1#MEMBER#X"}}}}`
	failed := func(n int) string { return fmt.Sprintf(`{"batchItemFailures":[{"itemIdentifier":"%d"}]}`, n) }
	told := profiles(t, "A", "B", "C")
	var good []string
	for i, c := range told {
		good = append(good, recordOf(t, 101+i, c))
	}
	undecodable := told[1]
	undecodable.New.Body = []byte("not CBOR")
	gone := table.Change{Key: told[0].Key, Old: told[0].New}
	bad := func(n int) string { return fmt.Sprintf(poison, n) }

	for name, c := range map[string]struct {
		records []string
		refuses string
		want    string
		took    []string
	}{
		"all":                      {records: good, want: none, took: []string{"A", "B", "C"}},
		"none":                     {want: none},
		"a poison record first":    {records: []string{bad(100), good[0], good[1]}, want: failed(100)},
		"a poison record between":  {records: []string{good[0], bad(150), good[2]}, want: failed(150), took: []string{"A"}},
		"a poison record last":     {records: []string{good[0], good[1], bad(199)}, want: failed(199), took: []string{"A", "B"}},
		"an item that is not ours": {records: []string{good[0], recordOf(t, 102, undecodable), good[2]}, want: failed(102), took: []string{"A"}},
		"the bus refuses":          {records: good, refuses: "evt_enrol_B", want: failed(102), took: []string{"A", "C"}},
		"refused before poison":    {records: []string{good[0], good[1], bad(199)}, refuses: "evt_enrol_A", want: failed(101), took: []string{"B"}},
		"an item that vanished":    {records: []string{recordOf(t, 101, gone), good[1]}, want: none, took: []string{"B"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := &memory{refuses: c.refuses}
			if got := handle(t, m, c.records...); got != c.want {
				t.Errorf("answered %s, want %s", got, c.want)
			}
			var want []string
			for _, id := range c.took {
				want = append(want, "evt_enrol_"+id)
			}
			if diff := cmp.Diff(want, m.took); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
		})
	}
}
