package table

import (
	"context"

	"regulars/shared/loyalty"
)

// APIKey reads what is known of a key by its hash; nil when unknown.
func (s *Store) APIKey(ctx context.Context, hash string) (*APIKey, error) {
	var k *APIKey
	err := s.View(ctx, "", func(tx *Tx) (err error) { k, err = get[APIKey](tx, apiKeyKey(hash)); return err })
	return k, err
}

// Connection reads a webhook connection. Missing when there is none.
func (s *Store) Connection(ctx context.Context, id string) (*Connection, error) {
	var c *Connection
	err := s.View(ctx, "", func(tx *Tx) (err error) { c, err = get[Connection](tx, connectionKey(id)); return err })
	if c == nil && err == nil {
		err = loyalty.NotFound("connection")
	}
	return c, err
}

// PutAPIKey and PutConnection write what `setup` decides; written again they
// replace what was there.
func (s *Store) PutAPIKey(ctx context.Context, hash string, k APIKey) error {
	return s.replace(ctx, apiKeyKey(hash), encode(&k))
}

// PutConnection writes a webhook connection.
func (s *Store) PutConnection(ctx context.Context, c Connection) error {
	return s.replace(ctx, connectionKey(c.ID), encode(&c))
}

func (s *Store) replace(ctx context.Context, k Key, body []byte) error {
	return s.Update(ctx, "", func(tx *Tx) error {
		r, err := tx.item(k)
		if err == nil && string(r.old.Body) != string(body) {
			tx.put(k, body)
		}
		return err
	})
}
