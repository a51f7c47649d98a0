package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"

	"regulars/shared/table"
)

// meter stands between a client and DynamoDB and counts the units of every
// request by AWS's rules ("Read and write operations", "Item sizes and
// formats", "Managing global secondary indexes" in the DynamoDB Developer
// Guide). DynamoDB's own count cannot serve: the emulator's is wrong for
// transactions. The meter must see every write since the table was made.
type meter struct {
	endpoint string // of the DynamoDB behind

	mu    sync.Mutex
	items map[table.Key]item // as written
	used  units
	err   error // of a request that it does not understand
}

// units is what requests cost.
type units struct {
	Write, Read float64
	Index       float64 // the part of Write that the indexes take
	Requests    int
	Sizes       map[string]int // of the items written, by sort key, the pages' numbers left out
}

// take is what was used since it was last taken. A nil meter counts nothing.
func (m *meter) take() units {
	if m == nil {
		return units{}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	used := m.used
	m.used = units{}
	return used
}

// ServeHTTP passes a request on and counts it.
func (m *meter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sent, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	req, err := http.NewRequestWithContext(r.Context(), r.Method, m.endpoint+r.URL.Path, bytes.NewReader(sent))
	if err != nil {
		m.fail(err)
		return
	}
	req.Header = r.Header.Clone()
	res, err := backend.RoundTrip(req)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	m.count(r.Header.Get("X-Amz-Target"), sent, got, res.StatusCode == http.StatusOK)
	maps.Copy(w.Header(), res.Header)
	w.WriteHeader(res.StatusCode)
	w.Write(got)
}

// backend sends what it is given as it is: the client checks the bytes.
var backend = &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}

func (m *meter) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		m.err = err
	}
}

// put is a write of one item. A delete has no Item.
type put struct{ Item, Key item }

// question and answer are what the meter reads of a request and its answer.
type question struct {
	put
	ConsistentRead bool
	TransactItems  []struct{ Put, Delete *put }
	RequestItems   map[string]struct{ ConsistentRead bool }
}

type answer struct {
	Item      item
	Items     []item
	Responses map[string][]item
}

func (m *meter) count(target string, sent, got []byte, ok bool) {
	op, isTable := strings.CutPrefix(target, "DynamoDB_20120810.")
	if !isTable {
		return // the change stream, which the function pays by being started
	}
	var in question
	var out answer
	err := json.Unmarshal(sent, &in)
	if err == nil {
		err = json.Unmarshal(got, &out)
	}
	if err != nil {
		m.fail(fmt.Errorf("%s: %w", op, err))
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used.Requests++
	switch op {
	case "GetItem":
		m.used.Read += readUnits(out.Item.size(), in.ConsistentRead)
	case "Query", "Scan":
		size := 0
		for _, it := range out.Items {
			size += it.size()
		}
		m.used.Read += readUnits(size, in.ConsistentRead)
	case "BatchGetItem": // each item by its whole size, whatever of it is answered
		for name, list := range out.Responses {
			for _, it := range list {
				m.used.Read += readUnits(m.items[it.key()].size(), in.RequestItems[name].ConsistentRead)
			}
		}
	case "PutItem", "DeleteItem":
		m.write(in.put, 1, ok)
	case "TransactWriteItems":
		for _, one := range in.TransactItems {
			switch {
			case one.Put != nil:
				m.write(*one.Put, 2, ok)
			case one.Delete != nil:
				m.write(*one.Delete, 2, ok)
			default:
				m.err = fmt.Errorf("a transaction that does more than put and delete: %s", sent)
			}
		}
	case "CreateTable", "DescribeTable", "UpdateTimeToLive":
	default:
		m.err = fmt.Errorf("requests %s are not counted", op)
	}
}

// write counts one write, times 2 in a transaction. One that was refused
// costs as much, but for the index.
func (m *meter) write(p put, times float64, applied bool) {
	name := p.Item
	if name == nil {
		name = p.Key
	}
	key := name.key()
	before := m.items[key]
	m.used.Write += times * writeUnits(max(before.size(), p.Item.size()))
	if !applied {
		return
	}
	index := 0.0
	for _, names := range indexes {
		index += indexUnits(before.index(names), p.Item.index(names), names)
	}
	m.used.Write += index
	m.used.Index += index
	if m.used.Sizes == nil {
		m.used.Sizes = map[string]int{}
	}
	kind, _, _ := strings.Cut(key.SK, "#")
	m.used.Sizes[kind] = p.Item.size()
	if m.items == nil {
		m.items = map[table.Key]item{}
	}
	if m.items[key] = p.Item; p.Item == nil {
		delete(m.items, key)
	}
}

func (m *meter) failure() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err
}
