package loyalty

// Kind sorts errors by what the caller can do about them.
type Kind uint8

// The kinds of error. Each becomes one HTTP status at the edge, nowhere else.
const (
	Invalid      Kind = iota + 1 // the input is malformed: path, value, reason in Details
	Refused                      // understood, and the rules say no
	Conflict                     // not in this state of things
	Missing                      // there is no such thing
	Unauthorized                 // who are you
	Forbidden                    // not with this key
	TooLarge                     // more bytes than are read
	TooMany                      // too often: Details has retry_after, seconds
)

// Error is the one error that may be shown to a caller. Everything else is
// wrapped with context and becomes a bare "internal" at the edge.
type Error struct {
	Kind    Kind
	Code    string         // stable, snake_case
	Detail  string         // one sentence for people
	Details map[string]any // machine-readable particulars; may be nil
}

func (e *Error) Error() string { return e.Code + ": " + e.Detail }

// Malformed is the Invalid error for one value: where it stands (JSON pointer
// or header name), what was found, why it cannot be taken.
func Malformed(path, value, reason string) *Error {
	if r := []rune(value); len(r) > 80 {
		value = string(r[:80]) + "…"
	}
	return &Error{
		Kind: Invalid, Code: "invalid_request", Detail: path + ": " + reason,
		Details: map[string]any{"path": path, "value": value, "reason": reason},
	}
}

// Refuse is the Refused error with a code and a sentence.
func Refuse(code, detail string) *Error { return &Error{Kind: Refused, Code: code, Detail: detail} }

// NotFound is the Missing error for a kind of thing.
func NotFound(what string) *Error {
	return &Error{Kind: Missing, Code: "not_found", Detail: "there is no such " + what}
}
