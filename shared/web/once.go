package web

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// receiptLife is how long an answer is kept for repetition.
const receiptLife = 31 * 24 * time.Hour

// reused is the refusal of another request under a key that was used before.
const reused = "idempotency_key_reused"

// Update runs decide in a transaction (table.Store.Update). With an
// Idempotency-Key the answer is kept in that same transaction, so there is no
// moment in which effect or answer is there without the other, and no
// unfinished request that would block its own repetition: a repeated request
// is answered as it was the first time. A refusal is kept too. A request that
// writes nothing does not come here and is simply answered again.
func (g *Gate) Update(ctx context.Context, r *Request, decide func(*table.Tx) (Answer, error)) (Answer, error) {
	var out Answer
	k, err := r.receipt()
	if err != nil {
		return out, err
	}
	err = g.Store.Update(ctx, r.Program, func(tx *table.Tx) (err error) {
		if done, err := k.look(tx); done || err != nil {
			return err
		}
		if out, err = decide(tx); err != nil || k == nil {
			return err
		}
		answer, err := out.reply()
		if err != nil {
			return err
		}
		return k.keep(tx, answer)
	})
	var shown *loyalty.Error
	if k != nil && errors.As(err, &shown) && (shown.Kind == loyalty.Refused || shown.Kind == loyalty.Conflict) && shown.Code != reused {
		refusal := problem(ctx, r.ID, err)
		if kept := g.Store.Update(ctx, r.Program, func(tx *table.Tx) error {
			if done, err := k.look(tx); done || err != nil {
				return err
			}
			return k.keep(tx, refusal)
		}); kept != nil { // a refusal that is not kept is not given either
			err = fmt.Errorf("keep the refusal: %w", kept)
		}
	}
	if k != nil && k.given != nil {
		r.given, err = k.given, nil
	}
	return out, err
}

// receipt is the memory of one request with an idempotency key; nil without.
type receipt struct {
	key, fingerprint string
	given            *reply // what was answered before
}

func (r *Request) receipt() (*receipt, error) {
	key := r.Header.Get("Idempotency-Key")
	if key == "" || r.Method != "POST" {
		return nil, nil
	}
	if len(key) > 255 {
		return nil, loyalty.Malformed("Idempotency-Key", key, "must have at most 255 characters")
	}
	sum := sha256.Sum256([]byte(r.Method + " " + r.URL.Path + "\n" + string(r.Body)))
	return &receipt{key: key, fingerprint: hex.EncodeToString(sum[:])}, nil
}

// look finds the answer that was given before, if there was one.
func (k *receipt) look(tx *table.Tx) (done bool, err error) {
	if k == nil {
		return false, nil
	}
	k.given = nil
	had, err := tx.Receipt(k.key)
	if err != nil || had == nil {
		return false, err
	}
	if had.Fingerprint != k.fingerprint {
		return false, loyalty.Refuse(reused, "another request was sent with this Idempotency-Key")
	}
	seal, err := k.seal()
	if err != nil {
		return false, err
	}
	body, err := seal.Open(nil, nil, had.Body, nil)
	if err != nil {
		return false, fmt.Errorf("open receipt: %w", err)
	}
	k.given = &reply{status: had.Status, kind: had.Type, body: body, replayed: true}
	return true, nil
}

func (k *receipt) keep(tx *table.Tx, answer reply) error {
	seal, err := k.seal()
	if err != nil {
		return err
	}
	tx.PutReceipt(k.key, table.Receipt{Fingerprint: k.fingerprint, Status: answer.status, Type: answer.kind, Body: seal.Seal(nil, nil, answer.body, nil)},
		time.Now().Add(receiptLife).Unix())
	return nil
}

// seal encrypts answers under the idempotency key itself, of which only a
// digest is stored: answers hold personal data, and nobody but the one who
// asks again can open them.
func (k *receipt) seal() (cipher.AEAD, error) {
	sum := sha256.Sum256([]byte("regulars receipt\n" + k.key))
	block, err := aes.NewCipher(sum[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
