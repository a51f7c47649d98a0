package simulations

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"path"
	"strings"

	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// Event is one step of a run, as the state machine asks for it.
type Event struct {
	Run
	Step  string          `json:"step"`            // partition, play, merge or fail
	File  string          `json:"file,omitempty"`  // of the export, to partition
	Shard int             `json:"shard,omitempty"` // to play
	Error json.RawMessage `json:"error,omitempty"` // why it fails
}

// Do does a step. Doing it again changes nothing.
func (s *Steps) Do(ctx context.Context, e Event) error {
	switch e.Step {
	case "partition":
		return s.partition(ctx, e)
	case "play":
		return s.Play(ctx, e.Run, e.Shard)
	case "merge":
		return s.Merge(ctx, e.Run)
	case "fail":
		slog.ErrorContext(ctx, "simulation failed", "simulation", e.ID, "error", string(e.Error))
		return s.Fail(ctx, e.Run, "something went wrong here; it has been logged")
	}
	return fmt.Errorf("there is no step %q", e.Step)
}

// exported ends the names of an export's data; beside it lie its manifests.
const exported = ".json.gz"

func (s *Steps) partition(ctx context.Context, e Event) error {
	if !strings.HasSuffix(e.File, exported) {
		return nil
	}
	body, err := s.Files.Get(ctx, e.File)
	if err != nil {
		return err
	}
	orders, err := s.Partition(ctx, e.Run, strings.TrimSuffix(path.Base(e.File), exported), Exported(body, e.Program))
	slog.InfoContext(ctx, "history split", "simulation", e.ID, "file", e.File, "orders", orders)
	return err
}

// Exported are the orders of a program in one data file of an export of the
// table: gzip of a line per item, {"Item": {"pk": {"S": "..."}, ...}}
// ("DynamoDB table export output format", Amazon DynamoDB Developer Guide).
func Exported(file []byte, program string) iter.Seq2[*loyalty.Record, error] {
	return func(yield func(*loyalty.Record, error) bool) {
		unzipped, err := gzip.NewReader(bytes.NewReader(file))
		if err != nil {
			yield(nil, fmt.Errorf("the export is not gzip: %w", err))
			return
		}
		in := bufio.NewReaderSize(unzipped, 1<<20)
		for {
			line, err := in.ReadBytes('\n')
			if len(bytes.TrimSpace(line)) > 0 {
				rec, err := orderOf(line, program)
				if err != nil || rec != nil {
					if !yield(rec, err) || err != nil {
						return
					}
				}
			}
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, fmt.Errorf("read the export: %w", err))
				return
			}
		}
	}
}

// orderOf reads the order on a line; nil for another item.
func orderOf(line []byte, program string) (*loyalty.Record, error) {
	var in struct {
		Item struct {
			PK   struct{ S string } `json:"pk"`
			SK   struct{ S string } `json:"sk"`
			Body struct{ B []byte } `json:"b"`
		}
	}
	if err := json.Unmarshal(line, &in); err != nil {
		return nil, fmt.Errorf("a line of the export is no item: %w", err)
	}
	if in.Item.SK.S != "ORDER" || !strings.HasPrefix(in.Item.PK.S, program+"#ORDER#") {
		return nil, nil
	}
	return table.Decode[loyalty.Record](table.Item{Key: table.Key{PK: in.Item.PK.S, SK: in.Item.SK.S}, Body: in.Item.Body.B})
}
