package profile_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// given is points at an instant, as the brute force keeps them.
type given struct {
	at     event.Time
	points float64
}

// worth adds up what each is worth at an instant, in the plainest way.
func worth(list []given, half int64, now event.Time) (sum float64) {
	for _, g := range list {
		age := math.Floor(float64(now)/1000) - math.Floor(float64(g.at)/1000)
		if half == 0 {
			sum += g.points
		} else {
			sum += g.points * math.Exp2(-age/float64(half))
		}
	}
	return sum
}

func TestASumIsWorthWhatItsPointsAreWorthAtAnyInstantOfManyYears(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		half := rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(1, 60), rapid.Int64Range(3600, 10*365*86400)).Draw(t, "half")
		years := rapid.IntRange(0, 12).Draw(t, "years")
		start := noon.Add(-time.Duration(years) * 365 * day)
		var sum profile.Sum
		var list []given
		for range rapid.IntRange(0, 60).Draw(t, "points") {
			at := start + event.Time(rapid.Int64Range(0, int64(noon-start)+1).Draw(t, "at"))
			p := profile.Points(rapid.Int64Range(-1000*int64(profile.OnePoint), 1000*int64(profile.OnePoint)).Draw(t, "p"))
			sum = sum.Plus(at, half, p)
			list = append(list, given{at, float64(p) / float64(profile.OnePoint)})
		}
		for range 5 {
			now := noon + event.Time(rapid.Int64Range(0, 20*365*86400*1000).Draw(t, "now"))
			got, want := sum.At(now, half).Float(), worth(list, half, now)
			if math.Abs(got-want) > 1e-9 {
				t.Fatalf("half-life %d s, %s: %v, by hand %v", half, now, got, want)
			}
		}
	})
}

func TestTheOrderInWhichPointsComeDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		half := rapid.SampledFrom([]int64{0, 1, 7, 86400, 30 * 86400}).Draw(t, "half")
		type one struct {
			at event.Time
			p  profile.Points
		}
		list := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) one {
			return one{noon - event.Time(rapid.Int64Range(0, 400*86400*1000).Draw(t, "at")), profile.Points(rapid.Int64Range(-1e9, 1e9).Draw(t, "p"))}
		}), 0, 20).Draw(t, "list")
		sum := func(list []one) (s profile.Sum) {
			for _, o := range list {
				s = s.Plus(o.at, half, o.p)
			}
			return s
		}
		a, b := sum(list), sum(rapid.Permutation(list).Draw(t, "other order"))
		if len(a) != len(b) {
			t.Fatalf("%v and %v", a, b)
		}
		for i := range a {
			if a[i] != b[i] {
				t.Fatalf("%v and %v", a, b)
			}
		}
	})
}

func TestWhatWasGivenAndTakenBackLeavesNothing(t *testing.T) {
	t.Parallel()
	var s profile.Sum
	for i := range 1000 {
		at := noon.Add(time.Duration(i*7919) * time.Second)
		s = s.Plus(at, 86400*30, profile.Points(i*333_333))
	}
	for i := range 1000 {
		at := noon.Add(time.Duration(i*7919) * time.Second)
		s = s.Plus(at, 86400*30, -profile.Points(i*333_333))
	}
	for _, b := range s {
		if b.Hi != 0 || b.Lo != 0 {
			t.Fatalf("%v is left", b)
		}
	}
}

func TestPointsAreWorthExactlyHalfAfterAHalfLife(t *testing.T) {
	t.Parallel()
	for _, half := range []int64{1, 2, 59, 3600, 86400, 14 * 86400, 365 * 86400} {
		for shift := range 50 {
			at := noon.Add(time.Duration(shift*3457) * time.Second)
			s := profile.Sum(nil).Plus(at, half, 8*profile.OnePoint)
			for lives := range int64(30) {
				now := at + event.Time(lives*half*1000)
				if got, want := s.At(now, half), (8*profile.OneLevel)>>lives; got != want {
					t.Fatalf("after %d half-lives of %d s: %v, want %v", lives, half, got, want)
				}
			}
		}
	}
}

func TestASumNeverMovesAwayFromZeroByItself(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 5))
	for _, half := range []int64{1, 17, 3600, 30 * 86400, 10 * 365 * 86400} {
		var s profile.Sum
		for range 50 {
			s = s.Plus(noon-event.Time(r.Int64N(half*1000*90)), half, profile.Points(r.Int64N(int64(profile.MaxPoints))))
		}
		last := s.At(noon, half)
		for i := range 20_000 {
			got := s.At(noon.Add(time.Duration(i)*time.Second), half)
			if got > last || got < 0 {
				t.Fatalf("half-life %d s: %v after %v at second %d", half, got, last, i)
			}
			last = got
		}
	}
}

// The figures of a million events: what is lost by rounding must not add up.
func TestAMillionEventsAddUp(t *testing.T) {
	t.Parallel()
	const half = 30 * 86400
	var s profile.Sum
	var want, lost float64 // summed with what each addition loses
	for i := range 1_000_000 {
		at := noon.Add(time.Duration(i) * 31 * time.Second)
		s = s.Plus(at, half, 3*profile.OnePoint/7)
		age := float64(31*999_999 - 31*i)
		v := float64(3*profile.OnePoint/7)/float64(profile.OnePoint)*math.Exp2(-age/half) - lost
		next := want + v
		lost, want = next-want-v, next
	}
	now := noon.Add(31 * 999_999 * time.Second)
	if got := s.At(now, half).Float(); math.Abs(got-want) > 1e-9 {
		t.Errorf("a million events are worth %v, by hand %v", got, want)
	}
}

func BenchmarkPlus(b *testing.B) {
	b.ReportAllocs()
	s := profile.Sum(nil).Plus(noon, 30*86400, profile.OnePoint)
	for i := range b.N {
		s = s.Plus(noon+event.Time(i), 30*86400, profile.OnePoint)
	}
}

func BenchmarkAt(b *testing.B) {
	b.ReportAllocs()
	s := profile.Sum(nil).Plus(noon, 30*86400, profile.OnePoint)
	for i := range b.N {
		s.At(noon+event.Time(i*1000), 30*86400)
	}
}
