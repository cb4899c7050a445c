package killpoint_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"rapport/internal/killpoint"
)

// child names the environment variable that makes this test binary come to the
// points in its value, print each, and end.
const child = "KILLPOINT_TEST_CHILD"

func TestMain(m *testing.M) {
	if points := os.Getenv(child); points != "" {
		for _, p := range strings.Split(points, " ") {
			killpoint.Hit(p)
			fmt.Println(p)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestOnlyTheNthHitOfTheNamedPointKills(t *testing.T) {
	t.Parallel()
	const way = "after-append after-commit after-append after-claim after-append after-accept"
	tests := []struct {
		name, arm, passed string
		killed            bool
	}{
		{"nothing armed", "", way, false},
		{"a name alone is the first hit", "after-append", "", true},
		{"the second hit", "after-append:2", "after-append after-commit", true},
		{"the third hit", "after-append:3", "after-append after-commit after-append after-claim", true},
		{"a hit that never comes", "after-append:4", way, false},
		{"another point", "after-commit:1", "after-append", true},
		{"a point that is not met", "before-outcome:1", way, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out, _, err := run(t, tt.arm, way)
			if got := strings.Join(strings.Fields(out), " "); got != tt.passed {
				t.Errorf("passed %q, want %q", got, tt.passed)
			}
			if got := signal(err) == syscall.SIGKILL; got != tt.killed {
				t.Errorf("ended with %v, want killed = %v", err, tt.killed)
			}
		})
	}
}

func TestAProcessDoesNotStartWithAnArmThatMeansNothing(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, arm, say string }{
		{"no such point", "after-lunch:1", "the points are after-append, after-apply"},
		{"no point", ":1", "the points are"},
		{"hit zero", "after-append:0", "after-append:3 for the third"},
		{"a negative hit", "after-append:-1", "after-append:3 for the third"},
		{"not a number", "after-append:x", "after-append:3 for the third"},
		{"nothing behind the colon", "after-append:", "after-append:3 for the third"},
		{"more hits than any test waits for", "after-append:1000001", "at most 1000000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out, stderr, err := run(t, tt.arm, "after-append")
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 2 {
				t.Errorf("ended with %v, want exit status 2", err)
			}
			if out != "" {
				t.Errorf("it ran: %q", out)
			}
			if !strings.Contains(stderr, "RAPPORT_KILL") || !strings.Contains(stderr, tt.say) {
				t.Errorf("said %q, want the variable and %q", stderr, tt.say)
			}
		})
	}
}

// Not parallel: there is one hook in a process.
func TestATestMayHearHitsInsteadOfDying(t *testing.T) {
	var mu sync.Mutex
	heard := map[string]int{}
	restore := killpoint.Set(func(name string) {
		mu.Lock()
		defer mu.Unlock()
		heard[name]++
	})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for _, p := range killpoint.Points {
				killpoint.Hit(p)
			}
		})
	}
	all.Wait()
	restore()
	killpoint.Hit(killpoint.AfterAppend) // nobody listens any more
	for _, p := range killpoint.Points {
		if heard[p] != 8 {
			t.Errorf("%s was heard %d times, want 8", p, heard[p])
		}
	}
}

// Not parallel: there is one hook in a process.
func TestHooksNestAndNilDisarms(t *testing.T) {
	var heard []string
	listen := func(who string) func(string) { return func(string) { heard = append(heard, who) } }
	outer := killpoint.Set(listen("outer"))
	inner := killpoint.Set(listen("inner"))
	killpoint.Hit(killpoint.AfterClaim)
	inner()
	killpoint.Hit(killpoint.AfterClaim)
	none := killpoint.Set(nil)
	killpoint.Hit(killpoint.AfterClaim)
	none()
	outer()
	killpoint.Hit(killpoint.AfterClaim)
	if got := strings.Join(heard, " "); got != "inner outer" {
		t.Errorf("heard %q, want %q", got, "inner outer")
	}
}

func BenchmarkHitWhenNothingIsArmed(b *testing.B) {
	for b.Loop() {
		killpoint.Hit(killpoint.AfterAppend)
	}
}

// run starts this test binary as a process that is armed and comes to the points.
func run(t *testing.T, arm, points string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), child+"="+points, killpoint.Env+"="+arm)
	var out, bad strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &bad
	err = cmd.Run()
	return out.String(), bad.String(), err
}

// signal returns the signal that ended a process, or zero.
func signal(err error) syscall.Signal {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return 0
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return 0
	}
	return status.Signal()
}
