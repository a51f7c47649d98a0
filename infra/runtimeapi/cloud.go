package runtimeapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Cloud stands in for what functions call beside the table: Secrets Manager,
// with one secret, an EventBridge bus, two buckets of S3, for imports and for
// state machines, and those.
type Cloud struct {
	Secret string
	Start  func(machine, input string) // what a state machine does; nil: nothing

	mu      sync.Mutex
	refuse  string
	put     []Entry
	objects map[string][]byte // of imports, by path
	came    func(key string)  // told of each of them, as the bus is; nil: nobody listens
	files   map[string][]byte // of state machines
	started []string
	ended   bool
}

// Executions are the names of those that were started, each once.
func (c *Cloud) Executions() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.started)
}

// End ends all executions.
func (c *Cloud) End() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
}

// uploads is the name of the bucket of imports.
const uploads = "uploads"

// Entry is an event that was put on the bus.
type Entry struct {
	EventBusName, Source, DetailType, Detail string
}

// Refuse makes the bus refuse the entries of a type from now on; "" none.
func (c *Cloud) Refuse(detailType string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuse = detailType
}

// Taken are the entries that the bus took since it was last asked.
func (c *Cloud) Taken() []Entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	put := c.put
	c.put = nil
	return put
}

// object keeps and gives objects as S3 does, signatures aside.
func (c *Cloud) object(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Query().Get("X-Amz-Signature") == "" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if c.objects == nil {
			c.objects = map[string][]byte{}
		}
		c.objects[r.URL.Path] = body
		if c.came != nil {
			c.came(strings.TrimPrefix(r.URL.Path, "/"+uploads+"/"))
		}
		return
	}
	body, ok := c.objects[r.URL.Path]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("ETag", fmt.Sprintf("%q", fmt.Sprintf("%x", sha256.Sum256(body))))
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// ServeHTTP speaks the JSON protocol of the services, and S3 to whom names no
// operation.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Amz-Target") == "" && !strings.HasPrefix(r.URL.Path, "/"+uploads+"/") {
		c.bucket(w, r)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if strings.HasPrefix(r.URL.Path, "/"+uploads+"/") {
		c.object(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	switch op := r.Header.Get("X-Amz-Target"); op {
	case "secretsmanager.GetSecretValue":
		var in struct{ SecretId string }
		if json.NewDecoder(r.Body).Decode(&in) != nil || in.SecretId == "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		json.NewEncoder(w).Encode(map[string]string{"ARN": in.SecretId, "Name": "secret", "SecretString": c.Secret})
	case "AWSEvents.PutEvents":
		var in struct{ Entries []Entry }
		if json.NewDecoder(r.Body).Decode(&in) != nil || len(in.Entries) == 0 || len(in.Entries) > 10 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		type result struct{ EventId, ErrorCode, ErrorMessage *string }
		out := struct {
			FailedEntryCount int
			Entries          []result
		}{}
		for _, e := range in.Entries {
			if e.DetailType == c.refuse {
				out.FailedEntryCount++
				out.Entries = append(out.Entries, result{ErrorCode: new("ThrottlingException"), ErrorMessage: new("Rate exceeded")})
				continue
			}
			c.put = append(c.put, e)
			out.Entries = append(out.Entries, result{EventId: new(fmt.Sprint(len(c.put)))})
		}
		json.NewEncoder(w).Encode(out)
	case "AWSStepFunctions.StartExecution":
		var in struct{ Name, StateMachineArn, Input string }
		if json.NewDecoder(r.Body).Decode(&in) != nil || in.Name == "" || in.StateMachineArn == "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if c.ended {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"__type":"ExecutionAlreadyExists","message":"it has ended"}`)
			return
		}
		if !slices.Contains(c.started, in.Name) {
			c.started = append(c.started, in.Name)
			if c.Start != nil {
				go c.Start(in.StateMachineArn[strings.LastIndex(in.StateMachineArn, ":")+1:], in.Input)
			}
		}
		json.NewEncoder(w).Encode(map[string]any{"executionArn": in.StateMachineArn + ":" + in.Name, "startDate": 1})
	default:
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"__type":"UnknownOperationException","message":%q}`, op)
	}
}
