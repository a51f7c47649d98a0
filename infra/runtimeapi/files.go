package runtimeapi

import (
	"encoding/xml"
	"io"
	"net/http"
	"slices"
	"strings"
)

// filePage is how many names a list has at most: few, so that lists have pages.
const filePage = 50

// Put puts a file into the bucket.
func (c *Cloud) Put(name string, body []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.files == nil {
		c.files = map[string][]byte{}
	}
	c.files[name] = body
}

// bucket speaks as much of S3 as functions use: put, get and list, with the
// bucket's name in the path.
func (c *Cloud) bucket(w http.ResponseWriter, r *http.Request) {
	_, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	q := r.URL.Query()
	switch {
	case r.Method == http.MethodPut && r.Header.Get("Content-Encoding") == "":
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c.Put(name, body)
	case r.Method == http.MethodGet && q.Get("list-type") == "2":
		c.list(w, q.Get("prefix"), q.Get("continuation-token"))
	case r.Method == http.MethodGet:
		c.mu.Lock()
		body, ok := c.files[name]
		c.mu.Unlock()
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Write(body)
	default:
		w.WriteHeader(http.StatusNotImplemented)
	}
}

func (c *Cloud) list(w http.ResponseWriter, prefix, after string) {
	type content struct{ Key string }
	out := struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		IsTruncated           bool
		NextContinuationToken string `xml:",omitempty"`
		Contents              []content
	}{}
	c.mu.Lock()
	var names []string
	for name := range c.files {
		if strings.HasPrefix(name, prefix) && name > after {
			names = append(names, name)
		}
	}
	c.mu.Unlock()
	slices.Sort(names)
	if len(names) > filePage {
		names, out.IsTruncated, out.NextContinuationToken = names[:filePage], true, names[filePage-1]
	}
	for _, name := range names {
		out.Contents = append(out.Contents, content{name})
	}
	w.Header().Set("Content-Type", "application/xml")
	xml.NewEncoder(w).Encode(out)
}
