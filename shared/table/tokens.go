package table

// Tokens tells which tokens of a member are good. It stands beside the profile
// and not in it: it is not personal data, outlives an erasure, and changes
// without a new version of the member.
type Tokens struct {
	Generation string `cbor:"1,keyasint,omitempty"` // of those that are good; "" until some were revoked
	Closed     bool   `cbor:"2,keyasint,omitempty"` // none is, for the member was erased
}

// Tokens reads which tokens are good of a member that holds its own points.
func (tx *Tx) Tokens(holder string) (Tokens, error) {
	t, err := get[Tokens](tx, tokensKey(tx.program, holder))
	if t == nil {
		return Tokens{}, err
	}
	return *t, err
}

// RevokeTokens makes every token void that was issued before. The generation
// must be one that was not used yet.
func (tx *Tx) RevokeTokens(holder, generation string) error {
	t, err := tx.Tokens(holder)
	if err != nil {
		return err
	}
	t.Generation = generation
	tx.put(tokensKey(tx.program, holder), encode(&t))
	return nil
}

// closeTokens makes every token void, those too that are yet to be issued.
func (tx *Tx) closeTokens(holder string) error {
	t, err := tx.Tokens(holder)
	if err != nil || t.Closed {
		return err
	}
	t.Closed = true
	tx.put(tokensKey(tx.program, holder), encode(&t))
	return nil
}
