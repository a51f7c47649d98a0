package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// receiptLife is how long an answer is kept for repetition.
const receiptLife = 31 * 24 * time.Hour

// maxKept is how long an answer may be to be kept, in bytes: an item of the
// table holds 400 KB.
const maxKept = 350 << 10

type receiptCtx struct{}

// once answers a repeated request as it was answered the first time. The
// answer is kept in the same transaction as what the request did (see
// Update), so there is no moment in which one is there without the other,
// and no unfinished request that would block its own repetition.
func (g *Gate) once(ctx context.Context, r *Request, h Handler) (reply, error) {
	key := r.Header.Get("Idempotency-Key")
	if key == "" {
		a, err := h(ctx, r)
		if err != nil {
			return reply{}, err
		}
		return a.reply()
	}
	if len(key) > 255 {
		return reply{}, loyalty.Malformed("Idempotency-Key", key, "must have at most 255 characters")
	}
	sum := sha256.Sum256([]byte(r.Method + " " + r.URL.Path + "\n" + string(r.Body)))
	kept := &receipt{key: key, fingerprint: hex.EncodeToString(sum[:])}

	if done, err := kept.find(ctx, g.Store, r.Program); err != nil || done != nil {
		return deref(done), err
	}
	a, err := h(context.WithValue(ctx, receiptCtx{}, kept), r)
	if kept.replay != nil { // a twin of this request was faster
		return *kept.replay, nil
	}
	var shown *loyalty.Error
	switch {
	case err == nil && kept.written:
		return kept.sent, nil
	case err == nil:
		kept.sent, err = a.reply()
	case errors.As(err, &shown) && (shown.Kind == loyalty.Refused || shown.Kind == loyalty.Conflict) && shown.Code != reused:
		kept.sent, err = problem(ctx, r.ID, err), nil
	}
	if err != nil {
		return reply{}, err
	}
	// Nothing was written but the answer: a refusal, or a request that found
	// its work done. One that is too long to keep is made again when asked for.
	if len(kept.sent.body) > maxKept {
		return kept.sent, nil
	}
	err = g.Store.Update(ctx, r.Program, kept.write)
	if kept.replay != nil {
		return *kept.replay, nil
	}
	return kept.sent, err
}

// Update runs decide in a transaction (table.Store.Update) that also keeps
// the answer, when the request has an idempotency key.
func (g *Gate) Update(ctx context.Context, r *Request, decide func(*table.Tx) (Answer, error)) (Answer, error) {
	kept, _ := ctx.Value(receiptCtx{}).(*receipt)
	var out Answer
	err := g.Store.Update(ctx, r.Program, func(tx *table.Tx) (err error) {
		if kept != nil {
			if err := kept.look(tx); err != nil || kept.replay != nil {
				return err
			}
		}
		if out, err = decide(tx); err != nil || kept == nil {
			return err
		}
		if kept.sent, err = out.reply(); err != nil {
			return err
		}
		kept.written = true
		return kept.write(tx)
	})
	if err != nil && kept != nil {
		kept.written = false
	}
	return out, err
}

// receipt is the memory of one request with an idempotency key.
type receipt struct {
	key, fingerprint string
	sent             reply
	written          bool   // with the effect, in one transaction
	replay           *reply // what was answered before
}

const reused = "idempotency_key_reused"

// find looks for an answer given before.
func (k *receipt) find(ctx context.Context, s *table.Store, program string) (*reply, error) {
	err := s.Update(ctx, program, k.look)
	return k.replay, err
}

func (k *receipt) look(tx *table.Tx) error {
	k.replay = nil
	had, err := tx.Receipt(k.key)
	if err != nil || had == nil {
		return err
	}
	if had.Fingerprint != k.fingerprint {
		return loyalty.Refuse(reused, "another request was sent with this Idempotency-Key")
	}
	k.replay = &reply{status: had.Status, kind: had.Type, body: had.Body, replayed: true}
	return nil
}

func (k *receipt) write(tx *table.Tx) error {
	if err := k.look(tx); err != nil || k.replay != nil {
		return err
	}
	tx.PutReceipt(k.key, table.Receipt{Fingerprint: k.fingerprint, Status: k.sent.status, Type: k.sent.kind, Body: k.sent.body},
		time.Now().Add(receiptLife).Unix())
	return nil
}

func deref(p *reply) reply {
	if p == nil {
		return reply{}
	}
	return *p
}
