package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Scenario is one promise, played step by step with exact numbers. Each has a
// file of its own.
type Scenario struct {
	Name   string
	Proves string // in one line
	Play   func(*shop)
}

// Outcome is how a part of a scenario ended.
type Outcome string

// Outcomes. A part that was skipped judged nothing; it says why.
const (
	OK      Outcome = "ok"
	Failed  Outcome = "FAIL"
	Skipped Outcome = "SKIP"
)

// Part is what became of one part of a scenario.
type Part struct {
	Scenario, Name string
	Outcome        Outcome
	Why            []string // it was skipped, or what differs
	Took           time.Duration
}

// Report is what became of all of them.
type Report struct {
	Parts     []Part
	Published int // versions of the program document
}

// Count is how many parts ended so.
func (r Report) Count(o Outcome) (n int) {
	for _, p := range r.Parts {
		if p.Outcome == o {
			n++
		}
	}
	return n
}

// Play plays scenarios one after another, for the program document is one for
// all, and tells how it goes. The document that was in force is put back at
// the end, also after an interrupt. The error says why not all was played, or
// not all put back.
func Play(ctx context.Context, t Target, chosen []Scenario, out io.Writer) (r Report, err error) {
	begin := time.Now()
	s := &shop{ctx: ctx, target: t, out: out, report: &r, run: newRun()}
	if err := s.arrive(); err != nil {
		return r, err
	}
	defer func() {
		err = errors.Join(err, s.leave())
		r.Published = s.published
		s.conclude(time.Since(begin), err == nil)
	}()
	for _, one := range chosen {
		s.scenario = one.Name
		s.tell("\n%s: %s\n", one.Name, one.Proves)
		if err := s.play(one); err != nil {
			return r, err
		}
	}
	return r, nil
}

// play plays one scenario; the error says why none can follow.
func (s *shop) play(one Scenario) (err error) {
	defer func() {
		if p := recover(); p != nil {
			end, ok := p.(ended)
			if !ok {
				panic(p)
			}
			err = end.why
		}
	}()
	one.Play(s)
	return nil
}

// part plays a part of a scenario on the base program in real time. What
// fails in it does not keep the next from being played.
func (s *shop) part(name string, play func()) {
	begin := time.Now()
	p := Part{Scenario: s.scenario, Name: name, Outcome: OK}
	var end any
	for range 4 { // with more time each, should the target have been too slow
		if end = s.attempt(play); !s.late() {
			break
		}
		s.slack *= 2
	}
	switch e := end.(type) {
	case skipped:
		p.Outcome, p.Why = Skipped, []string{string(e)}
	case ended:
		defer panic(e)
		if s.ctx.Err() != nil {
			return
		}
		s.differs("%v", e.why)
	}
	if len(s.differing) > 0 {
		p.Outcome, p.Why = Failed, s.differing
	}
	p.Took = time.Since(begin)
	s.report.Parts = append(s.report.Parts, p)
	s.tell("  %-4s  %s (%.1f s)\n", p.Outcome, p.Name, p.Took.Seconds())
	for _, why := range p.Why {
		s.tell("        %s\n", strings.ReplaceAll(why, "\n", "\n        "))
	}
}

// attempt plays a part once and answers with what it ended early, if it did.
func (s *shop) attempt(play func()) (end any) {
	s.parts++
	s.differing, s.due = nil, time.Time{}
	defer func() {
		switch end = recover(); end.(type) {
		case nil, stopped, skipped, ended:
		default: // an answer of another shape than the scenario can read
			s.differs("the kit gave up: %v", end)
		}
	}()
	s.free()
	s.program(`{}`)
	play()
	return nil
}

// What a part panics with to end early.
type (
	stopped struct{}            // what differs is noted, and no step can follow
	skipped string              // the target lacks something
	ended   struct{ why error } // nothing more can be played
)

// differs notes what is not as it should be and goes on.
func (s *shop) differs(format string, args ...any) {
	s.differing = append(s.differing, fmt.Sprintf(format, args...))
}

// fail notes what is not as it should be and ends the part.
func (s *shop) fail(format string, args ...any) {
	s.differs(format, args...)
	panic(stopped{})
}

// skip ends the part, since the target has not what it needs.
func (s *shop) skip(why string) { panic(skipped(why)) }

func (s *shop) tell(format string, args ...any) { fmt.Fprintf(s.out, format, args...) }

// conclude sums up and says what to do next.
func (s *shop) conclude(took time.Duration, whole bool) {
	r := s.report
	var failed, again, reasons []string
	skips := map[string]int{}
	for _, p := range r.Parts {
		switch p.Outcome {
		case Skipped:
			if skips[p.Why[0]]++; skips[p.Why[0]] == 1 {
				reasons = append(reasons, p.Why[0])
			}
		case Failed:
			failed = append(failed, p.Scenario+": "+p.Name)
			if name := "^" + p.Scenario; !slices.Contains(again, name) {
				again = append(again, name)
			}
		}
	}
	s.tell("\n%d parts: %d ok, %d failed, %d skipped, in %.1f s; %d program versions published.\n",
		len(r.Parts), r.Count(OK), r.Count(Failed), r.Count(Skipped), took.Seconds(), r.Published)
	for _, why := range reasons {
		s.tell("Not judged, %d parts: %s.\n", skips[why], why)
	}
	switch {
	case len(failed) > 0:
		s.tell("\nFAIL\n  %s\nWhat differs stands above. Play these alone with -run '%s'.\n", strings.Join(failed, "\n  "), strings.Join(again, "|"))
	case !whole:
		s.tell("Not everything was played.\n")
	case len(skips) > 0:
		s.tell("Everything that was judged holds. Against `make run` on this machine, with -secret, nothing is skipped.\n")
	default:
		s.tell("Everything holds.\n")
	}
}
