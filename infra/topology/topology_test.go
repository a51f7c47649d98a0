package topology

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// CloudFormation would refuse most of this too, but an hour later and with
// half of a deployment done.

func find(name string) (Function, bool) {
	i := slices.IndexFunc(Functions, func(f Function) bool { return f.Name == name })
	if i < 0 {
		return Function{}, false
	}
	return Functions[i], true
}

func TestFunctionsCanBeDeployed(t *testing.T) {
	name := regexp.MustCompile(`^[a-z][a-z0-9]{1,30}$`) // a folder, a file, part of a logical id
	action := regexp.MustCompile(`^dynamodb:[A-Z][A-Za-z]+$`)
	seen := map[string]bool{}
	for _, f := range Functions {
		if !name.MatchString(f.Name) || seen[f.Name] {
			t.Errorf("function %q: a name of lower-case letters and digits, once", f.Name)
		}
		seen[f.Name] = true
		if f.Does == "" || len(f.Does) > 256 {
			t.Errorf("%s does not say what it does in 1 to 256 letters", f.Name)
		}
		if f.Timeout < time.Second || f.Timeout > 900*time.Second || f.Timeout%time.Second != 0 {
			t.Errorf("%s has %v; Lambda gives whole seconds up to 900", f.Name, f.Timeout)
		}
		if f.Memory < 128 || f.Memory > 10240 {
			t.Errorf("%s has %d MB; Lambda gives 128 to 10,240", f.Name, f.Memory)
		}
		if f.RetryAsync < 0 || f.RetryAsync > 2 {
			t.Errorf("%s is retried %d times; Lambda does up to 2", f.Name, f.RetryAsync)
		}
		if f.Reserved < 0 {
			t.Errorf("%s has %d reserved", f.Name, f.Reserved)
		}
		for _, a := range f.Table {
			if !action.MatchString(a) {
				t.Errorf("%s may %q; one exact action of DynamoDB each", f.Name, a)
			}
		}
		if len(f.Indexes) > 0 && len(f.Table) == 0 {
			t.Errorf("%s finds keys in an index and may read nothing under them", f.Name)
		}
	}
}

func TestEveryFunctionIsCalled(t *testing.T) {
	for _, f := range Functions {
		routed := f.Name == Default || slices.ContainsFunc(Routes, func(r Route) bool { return r.Function == f.Name })
		scheduled := slices.ContainsFunc(Schedules, func(s Schedule) bool { return s.Function == f.Name })
		if !routed && !scheduled && len(f.Stream) == 0 && !slices.ContainsFunc(Machines, func(m Machine) bool { return m.Steps == f.Name }) {
			t.Errorf("nothing calls %s", f.Name)
		}
		// API Gateway gives up after 30 seconds whatever the function does.
		if routed && f.Timeout > 29*time.Second {
			t.Errorf("%s answers requests and has %v; 29s at most", f.Name, f.Timeout)
		}
	}
}

func TestRoutesAreRoutes(t *testing.T) {
	methods := []string{"GET", "POST", "PUT", "PATCH", "DELETE"}
	literal := regexp.MustCompile(`^[A-Za-z0-9._~-]+$`)
	parameter := regexp.MustCompile(`^\{([a-z_]+)\}$`)
	seen := map[string]bool{}
	for _, r := range Routes {
		key := r.Method + " " + r.Path
		if !slices.Contains(methods, r.Method) {
			t.Errorf("%s: no such method", key)
		}
		if _, ok := find(r.Function); !ok {
			t.Errorf("%s is answered by %q, which is no function", key, r.Function)
		}
		segments := strings.Split(r.Path, "/")
		if len(segments) < 2 || segments[0] != "" {
			t.Errorf("%s does not begin with a slash", key)
			continue
		}
		shape := []string{r.Method} // two routes that differ only in names of parameters are one
		names := map[string]bool{}
		for _, s := range segments[1:] {
			p := parameter.FindStringSubmatch(s)
			switch {
			case p != nil && !names[p[1]]:
				names[p[1]] = true
				shape = append(shape, "{}")
			case p == nil && literal.MatchString(s):
				shape = append(shape, s)
			default:
				t.Errorf("%s: %q is neither a word nor a {parameter} of its own", key, s)
			}
		}
		if k := strings.Join(shape, "/"); seen[k] {
			t.Errorf("%s is there twice", key)
		} else {
			seen[k] = true
		}
	}
	if f, ok := find(Default); !ok || len(f.Stream) > 0 {
		t.Errorf("what no route matches goes to %q, which cannot answer", Default)
	}
}

func TestSchedulesAreSchedules(t *testing.T) {
	name := regexp.MustCompile(`^[a-z][a-z0-9]{0,30}$`)
	seen := map[string]bool{}
	for _, s := range Schedules {
		if !name.MatchString(s.Name) || seen[s.Name] {
			t.Errorf("schedule %q: a name of lower-case letters and digits, once", s.Name)
		}
		seen[s.Name] = true
		f, ok := find(s.Function)
		if !ok {
			t.Errorf("%s starts %q, which is no function", s.Name, s.Function)
		}
		// Also the age after which a start is given up, which may be a day.
		if s.Every < time.Minute || s.Every > 24*time.Hour || s.Every%time.Minute != 0 {
			t.Errorf("%s runs every %v; whole minutes up to a day", s.Name, s.Every)
		}
		if f.Timeout > s.Every {
			t.Errorf("%s runs every %v and may take %v: runs would pile up", s.Name, s.Every, f.Timeout)
		}
	}
	if ScheduleRetries < 0 || ScheduleRetries > 185 {
		t.Errorf("%d retries; the scheduler does up to 185", ScheduleRetries)
	}
}

func TestTheStreamCanBeRead(t *testing.T) {
	readers := 0
	for _, f := range Functions {
		if len(f.Stream) > 0 {
			readers++
		}
	}
	if readers > 2 { // the most that a shard feeds without slowing down, and the archive is there for more
		t.Errorf("%d functions read the change stream, want 2 at most", readers)
	}
	c := Changes
	if len(Announced) == 0 {
		t.Error("nothing is announced")
	}
	if c.Batch < 1 || c.Batch > 10000 || c.Parallel < 1 || c.Parallel > 10 || c.Retries < 0 || c.Retries > 10000 {
		t.Errorf("batches of %d, %d at a time, %d retries: Lambda reads 1 to 10,000, 1 to 10, 0 to 10,000", c.Batch, c.Parallel, c.Retries)
	}
	if c.MaxAge < time.Minute || c.MaxAge >= 24*time.Hour {
		t.Errorf("given up after %v; the stream itself forgets after a day", c.MaxAge)
	}
}

func TestMachinesCanBeRun(t *testing.T) {
	for _, m := range Machines {
		f, ok := find(m.Steps)
		if !ok || len(f.Files) == 0 || len(f.Table) == 0 {
			t.Errorf("the steps of %s are those of %q, which cannot do them", m.Name, m.Steps)
		}
		if m.Does == "" || m.Parallel < 1 || m.Parallel > 1000 || m.Shards < 1 || m.Timeout < f.Timeout || m.Timeout > 24*time.Hour {
			t.Errorf("%+v", m)
		}
		if Kept < m.Timeout || Kept%(24*time.Hour) != 0 {
			t.Errorf("files go after %v, in whole days and not before a run of %s ends", Kept, m.Name)
		}
		if !slices.ContainsFunc(Functions, func(f Function) bool { return f.Starts == m.Name }) {
			t.Errorf("nothing starts %s", m.Name)
		}
	}
	for _, f := range Functions {
		runs := slices.ContainsFunc(Machines, func(m Machine) bool { return m.Name == f.Starts || m.Steps == f.Name })
		if (f.Starts != "" || len(f.Files) > 0) && !runs {
			t.Errorf("%s has files, or starts %q, of no machine", f.Name, f.Starts)
		}
	}
}

func TestThrottleLetsRequestsIn(t *testing.T) {
	if RatePerSecond < 1 || Burst < RatePerSecond {
		t.Errorf("%d a second, %d at once", RatePerSecond, Burst)
	}
	for _, r := range Routes {
		if r.Throttle < 0 || r.Throttle >= RatePerSecond {
			t.Errorf("%s %s lets in %d a second, of %d for all", r.Method, r.Path, r.Throttle, RatePerSecond)
		}
		// Whoever follows a link is nobody that we know: nothing else holds them back.
		if strings.HasPrefix(r.Path, "/r/") && r.Throttle == 0 {
			t.Errorf("anybody may follow %s as often as they like", r.Path)
		}
	}
}
