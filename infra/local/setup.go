package local

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/program"
	"regulars/shared/table"
	"regulars/shared/web"
)

// Deployment is what a table must hold before the first request: a program,
// a key to change it with, the storefronts' connections.
type Deployment struct {
	Program     string
	AdminKey    string
	Connections []table.Connection
	Now         time.Time
}

// Setup writes what is missing and leaves what is there: a program that was
// published stays.
func Setup(ctx context.Context, s *table.Store, d Deployment) error {
	doc, err := program.Parse([]byte("{}"), nil)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	err = s.Update(ctx, d.Program, func(tx *table.Tx) error {
		_, err := tx.Terms()
		var none *loyalty.Error
		if errors.As(err, &none) && none.Kind == loyalty.Missing {
			_, err = tx.Publish(doc, raw, d.Now)
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := s.PutAPIKey(ctx, web.HashKey(d.AdminKey), table.APIKey{Program: d.Program, Scope: string(web.Admin)}); err != nil {
		return err
	}
	for _, c := range d.Connections {
		c.Program = d.Program
		if err := s.PutConnection(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

var kinds = []string{"shopify", "woocommerce", "bigcommerce", "stripe", "square", "standard"}

// ownConnections are the connections of a local host, named after their source.
func ownConnections() []table.Connection {
	var list []table.Connection
	for _, k := range kinds {
		list = append(list, table.Connection{ID: k, Kind: k})
	}
	return list
}

func localSecrets(webhook string) func(context.Context) (web.Secrets, error) {
	s := web.Secrets{TokenKeys: []string{"signs the member tokens of a local host " + webhook}, Connections: map[string][]string{}}
	for _, k := range kinds {
		s.Connections[k] = []string{webhook}
	}
	return func(context.Context) (web.Secrets, error) { return s, nil }
}
