package runtimeapi

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Request is an HTTP request that API Gateway hands to a function.
type Request struct {
	Method, Path string // Path may have a ?query
	Header       map[string]string
	Body         []byte
	Base64       bool // the gateway encodes bodies that it takes for binary
}

// Event is the request as an HTTP API writes it, payload format 2.0.
func (r Request) Event() []byte {
	path, query, _ := strings.Cut(r.Path, "?")
	header := map[string]string{"host": "api.example.com", "x-forwarded-proto": "https"}
	for name, value := range r.Header {
		header[strings.ToLower(name)] = value
	}
	body := string(r.Body)
	if r.Base64 {
		body = base64.StdEncoding.EncodeToString(r.Body)
	}
	event, err := json.Marshal(map[string]any{
		"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
		"headers": header, "body": body, "isBase64Encoded": r.Base64,
		"requestContext": map[string]any{
			"accountId": "000000000000", "apiId": "api", "domainName": "api.example.com", "requestId": "JKJaXmPLvHcESHA=", "stage": "$default",
			"http": map[string]string{"method": r.Method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "smoke"},
		},
	})
	if err != nil {
		panic("runtimeapi: an event is plain data and always encodes: " + err.Error())
	}
	return event
}

// Response is what API Gateway would send.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Response reads the answer to the event of a Request.
func (a Answer) Response() (Response, error) {
	var in struct {
		Status  int               `json:"statusCode"`
		Headers map[string]string `json:"headers"`
		Body    string            `json:"body"`
		Base64  bool              `json:"isBase64Encoded"`
	}
	if err := json.Unmarshal(a.Body, &in); err != nil {
		return Response{}, fmt.Errorf("the answer %q: %w", a.Body, err)
	}
	r := Response{Status: in.Status, Header: http.Header{}, Body: []byte(in.Body)}
	for name, value := range in.Headers {
		r.Header.Set(name, value)
	}
	if in.Base64 {
		body, err := base64.StdEncoding.DecodeString(in.Body)
		if err != nil {
			return Response{}, fmt.Errorf("the answer's body: %w", err)
		}
		r.Body = body
	}
	return r, nil
}
