package rhythm

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

// Week is the number of hours of a week. Hour 0 begins on Monday at midnight, in
// the shop's zone or the person's: the caller's choice.
const Week = 168

// HourOf returns the hour of the week of an instant in its location.
func HourOf(t time.Time) int { return (int(t.Weekday())+6)%7*24 + t.Hour() }

// HourName returns an hour of the week for people: "Friday 19:00".
func HourName(h int) string {
	h = ((h % Week) + Week) % Week
	name := time.Weekday((h/24 + 1) % 7).String()
	if h%24 < 10 {
		return name + " 0" + strconv.Itoa(h%24) + ":00"
	}
	return name + " " + strconv.Itoa(h%24) + ":00"
}

// Contact is one message to a person, and whether a human answered it by opening
// or clicking.
type Contact struct {
	Person   string
	Channel  string
	Device   string // class of the device of the answer; empty: not known
	Sent     int    // hour of the week
	Answered bool
	Hour     int // of the week of the first answer
}

// What the hours rest on.
const (
	LeastContacts = 20   // of a person on a channel, below which peers speak for them
	LeastAnswers  = 200  // of all people on a channel, below which nobody knows anything
	LeastPersons  = 20   // who answered
	ownChance     = 0.01 // of a rhythm that is found where there is none, for one person
	reach         = 1    // hours on either side of one that count as one: nobody is punctual
	startPull     = 8    // answers that the peers count for, where the data do not say
	most          = 400  // the strongest pull towards the peers that is tried
)

// Hours is what is known of the hours of one channel. It is immutable, and holds a few
// bytes a contact: what is known of one person is counted when they are asked about.
type Hours struct {
	Channel string
	Answers int
	People  int
	Peers   int     // the peers' best hour
	Pull    float64 // answers that the peers count for
	lags    [Week]float64
	peers   [Week]float64 // how much more than expected everybody answers in an hour; mean 1
	who     []string      // in order
	ends    []int         // where the contacts of each end
	short   []short
}

// short is a contact of whom the place says.
type short struct {
	sent, hour uint8
	answered   bool
}

// tally counts one person's contacts on a channel.
type tally struct {
	contacts, answers int
	at                [Week]float64 // answers
	expect            [Week]float64 // answers expected, by when they were written to
}

// TooFew says why nothing is known of a channel's hours.
type TooFew struct {
	Channel         string
	Answers, People int
}

// Error says what is missing, for people.
func (e TooFew) Error() string {
	return e.Channel + ": " + strconv.Itoa(e.Answers) + " messages answered by " + strconv.Itoa(e.People) + " people; it takes " +
		strconv.Itoa(LeastAnswers) + " by " + strconv.Itoa(LeastPersons)
}

// FitHours learns the hours of one channel, or of one device class on it. The
// error is always a [TooFew].
func FitHours(channel string, contacts []Contact) (*Hours, error) {
	m := &Hours{Channel: channel}
	byPerson := func(a, b Contact) int { return strings.Compare(a.Person, b.Person) }
	if !slices.IsSortedFunc(contacts, byPerson) {
		contacts = slices.Clone(contacts)
		slices.SortStableFunc(contacts, byPerson)
	}
	m.short = make([]short, len(contacts))
	answered := false
	for i, c := range contacts {
		if i == 0 || c.Person != m.who[len(m.who)-1] {
			m.who, m.ends, answered = append(m.who, c.Person), append(m.ends, 0), false
		}
		m.ends[len(m.ends)-1] = i + 1
		m.short[i] = short{uint8(c.Sent), uint8(c.Hour), c.Answered} // a week has 168 hours
		if !c.Answered {
			continue
		}
		if !answered {
			m.People++
		}
		answered = true
		m.Answers++
		m.lags[(c.Hour-c.Sent+Week)%Week]++
	}
	if m.Answers < LeastAnswers || m.People < LeastPersons {
		return nil, TooFew{channel, m.Answers, m.People}
	}
	m.learn()
	return m, nil
}

// learn works out what is expected of each person in each hour: by when they were
// written to, how soon everybody answers, and when everybody likes to.
func (m *Hours) learn() {
	for l := range m.lags {
		m.lags[l] /= float64(m.Answers)
	}
	var at, expect [Week]float64
	for i := range m.who {
		t := m.count(i)
		for h := range Week {
			at[h] += t.at[h]
			expect[h] += t.expect[h]
		}
	}
	at, expect = smooth(at), smooth(expect)
	for h := range Week {
		m.peers[h] = (at[h] + startPull) / (expect[h] + startPull)
	}
	m.Pull = m.pull()
	for h := range Week {
		if at[h] > at[m.Peers] {
			m.Peers = h
		}
	}
}

// count counts the contacts of one person, and what is expected of them before it is
// known when everybody likes to answer.
func (m *Hours) count(person int) (t tally) {
	from := 0
	if person > 0 {
		from = m.ends[person-1]
	}
	for _, c := range m.short[from:m.ends[person]] {
		t.contacts++
		if c.answered {
			t.answers++
			t.at[c.hour]++
		}
		for l, share := range m.lags {
			if share > 0 {
				t.expect[(int(c.sent)+l)%Week] += share
			}
		}
	}
	scale(&t.expect, float64(t.answers))
	return t
}

// tally counts the contacts of one person, and what is expected of them.
func (m *Hours) tally(person int) tally {
	t := m.count(person)
	for h := range Week {
		t.expect[h] *= m.peers[h]
	}
	scale(&t.expect, float64(t.answers))
	return t
}

// pull returns how many answers the peers count for: the number under which what
// people did is likeliest. Counts that vary no more than chance ask for the most.
func (m *Hours) pull() float64 {
	var pulls []float64
	for pull := 1.0; pull <= most; pull *= 1.5 {
		pulls = append(pulls, pull)
	}
	sums := make([]float64, len(pulls))
	for i := range m.who {
		t := m.tally(i)
		if t.answers == 0 {
			continue
		}
		for k, pull := range pulls {
			sums[k] += gammaPoisson(&t, pull)
		}
	}
	best, at := math.Inf(-1), float64(startPull)
	for k, sum := range sums {
		if sum > best {
			best, at = sum, pulls[k]
		}
	}
	return at
}

// gammaPoisson is the logarithm of the chance of a person's answers, if what is
// their own multiplies what is expected by a gamma of mean one: a Dirichlet over
// the hours with the expected shares as its mean.
func gammaPoisson(t *tally, pull float64) float64 {
	at, expect := window(&t.at), window(&t.expect)
	sum, n := 0.0, 0.0
	// Every third window, so that no answer counts twice.
	for h := reach; h < Week; h += 2*reach + 1 {
		a := pull * expect[h] / float64(t.answers)
		n += at[h]
		if at[h] > 0 && a > 0 {
			sum += lgamma(a+at[h]) - lgamma(a)
		}
	}
	return sum + lgamma(pull) - lgamma(pull+n)
}

func lgamma(x float64) float64 {
	v, _ := math.Lgamma(x)
	return v
}

// Best is the best hour of a person on a channel.
type Best struct {
	Hour     int
	Own      bool    // it is the person's own; else the peers'
	Lift     float64 // how many times more than expected they answer then
	Contacts int
	Answers  int // and of them within the hour before and after
	Within   int
	Chance   float64 // of as much without a rhythm, over all hours looked at
}

// Best returns the best hour of a person; it knows the peers' for everybody.
func (m *Hours) Best(person string) Best {
	b := Best{Hour: m.Peers, Lift: 1, Chance: 1}
	i, known := slices.BinarySearch(m.who, person)
	if !known {
		return b
	}
	t := m.tally(i)
	b.Contacts, b.Answers = t.contacts, t.answers
	at, expect := window(&t.at), window(&t.expect)
	b.Within = int(at[b.Hour])
	if t.contacts < LeastContacts || t.answers == 0 {
		return b
	}
	top, least := -1, 1.0
	for h := range Week {
		if at[h] <= expect[h] || at[h] < 3 {
			continue
		}
		// All answers are somewhere, so those of the window are a share of them.
		p := binomialAbove(int(at[h]), t.answers, max(expect[h]/float64(t.answers), 1.0/Week))
		if p < least || p == least && top >= 0 && t.at[h] > t.at[top] {
			top, least = h, p
		}
	}
	if top < 0 {
		return b
	}
	b.Chance = min(1, least*Week)
	if b.Chance > ownChance {
		return b
	}
	b.Hour, b.Own, b.Within = top, true, int(at[top])
	b.Lift = m.lift(at[top], expect[top], float64(t.answers))
	return b
}

// lift is how many times more than expected, drawn towards one.
func (m *Hours) lift(at, expect, answers float64) float64 {
	share := expect / answers
	return (at + m.Pull*share) / (expect + m.Pull*share)
}

// Evidence says what the hour rests on, in one sentence.
func (b Best) Evidence(channel string) string {
	switch {
	case b.Own:
		return strconv.Itoa(b.Within) + " of " + strconv.Itoa(b.Answers) + " answers to " + strconv.Itoa(b.Contacts) + " messages by " + channel +
			" came within an hour of " + HourName(b.Hour) + ", " + strconv.FormatFloat(b.Lift, 'f', 1, 64) + " times what was to be expected"
	case b.Contacts < LeastContacts:
		return strconv.Itoa(b.Contacts) + " messages by " + channel + " are too few to tell (it takes " + strconv.Itoa(LeastContacts) + "), so this is the hour of customers at large"
	}
	return "nothing stands out in " + strconv.Itoa(b.Answers) + " answers to " + strconv.Itoa(b.Contacts) + " messages by " + channel + ", so this is the hour of customers at large"
}

// Persons returns who was written to, in order.
func (m *Hours) Persons() []string { return slices.Clone(m.who) }

func scale(v *[Week]float64, to float64) {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	if sum > 0 {
		for i := range v {
			v[i] *= to / sum
		}
	}
}

// window sums each hour with its neighbours.
func window(v *[Week]float64) (out [Week]float64) {
	for h := range Week {
		for d := -reach; d <= reach; d++ {
			out[h] += v[(h+d+Week)%Week]
		}
	}
	return out
}

// smooth spreads each hour over its neighbours, half of it to either side.
func smooth(v [Week]float64) (out [Week]float64) {
	for h := range Week {
		out[h] = v[h]/2 + v[(h+1)%Week]/4 + v[(h+Week-1)%Week]/4
	}
	return out
}

// binomialAbove returns the chance of k or more of n, each with chance p.
func binomialAbove(k, n int, p float64) float64 {
	switch {
	case k <= 0:
		return 1
	case k > n || p <= 0:
		return 0
	case p >= 1:
		return 1
	}
	return distuv.Beta{Alpha: float64(k), Beta: float64(n-k) + 1}.CDF(p)
}
