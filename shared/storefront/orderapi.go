package storefront

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"regulars/shared/loyalty"
)

// OrderAPI fetches what a thin webhook only names. path is below the store's
// API and may have a query. What does not exist is a *loyalty.Error of kind
// Missing; any other failure is wrapped, and worth a retry.
type OrderAPI interface {
	Get(ctx context.Context, path string) ([]byte, error)
}

const (
	fetchTimeout = 4 * time.Second // BigCommerce waits 10 s for our answer
	maxFetched   = 4 << 20         // bytes; a page of 250 products is well below
)

// HTTPOrderAPI reads BigCommerce's API over HTTPS. BaseURL is
// "https://api.bigcommerce.com/stores/{store_hash}"; Token is the API
// account's access token and appears in no error.
type HTTPOrderAPI struct {
	BaseURL string
	Token   string
}

// fetcher follows no redirects: they would carry the token elsewhere.
var fetcher = &http.Client{
	Timeout:       fetchTimeout,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Get implements OrderAPI. It takes at most 4 s and 4 MiB.
func (a HTTPOrderAPI) Get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(a.BaseURL, "/")+path, nil)
	if err != nil {
		return nil, fmt.Errorf("order API: %w", err)
	}
	req.Header.Set("X-Auth-Token", a.Token)
	req.Header.Set("Accept", "application/json")
	res, err := fetcher.Do(req)
	if err != nil {
		return nil, fmt.Errorf("order API: %w", err)
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusNoContent:
		return nil, nil
	case http.StatusNotFound:
		return nil, loyalty.NotFound("order")
	default:
		return nil, fmt.Errorf("order API: GET %s answered %s", path, res.Status)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxFetched+1))
	if err != nil {
		return nil, fmt.Errorf("order API: GET %s: %w", path, err)
	}
	if len(body) > maxFetched {
		return nil, fmt.Errorf("order API: GET %s answered more than %d bytes", path, maxFetched)
	}
	return body, nil
}

// StubOrderAPI answers recorded bodies by path, queries aside. It stands in
// for the store where there is none: on the local host and in tests.
type StubOrderAPI map[string][]byte

// Get implements OrderAPI.
func (s StubOrderAPI) Get(_ context.Context, path string) ([]byte, error) {
	path, _, _ = strings.Cut(path, "?")
	body, ok := s[path]
	if !ok {
		return nil, loyalty.NotFound("order")
	}
	return body, nil
}
