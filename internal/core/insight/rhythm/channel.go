package rhythm

import (
	"math"
	"slices"
	"strconv"
)

// Reach is how one person took what came by one channel.
type Reach struct {
	Person   string
	Channel  string
	Contacts int
	Answers  int // contacts that a human answered
}

// LeastReach is how many contacts on a channel, by all people, it takes to say how
// much anybody answers there.
const LeastReach = 100

// Channels is how people answer on each channel. It is immutable.
type Channels struct {
	rates map[string]rate
}

// rate is the beta from which each person's own share of answers on a channel
// comes.
type rate struct{ mean, pull float64 }

// FitChannels learns how people differ on each channel. Channels with too few
// contacts are left out; nobody's affinity to them is known.
func FitChannels(list []Reach) *Channels {
	by := map[string][]Reach{}
	for _, r := range list {
		if r.Contacts > 0 {
			by[r.Channel] = append(by[r.Channel], r)
		}
	}
	m := &Channels{rates: map[string]rate{}}
	for channel, rs := range by { // order does not matter: each channel is fitted alone
		contacts, answers := 0, 0
		for _, r := range rs {
			contacts += r.Contacts
			answers += min(r.Answers, r.Contacts)
		}
		if contacts < LeastReach || answers == 0 {
			continue
		}
		mean := min(float64(answers)/float64(contacts), 0.999)
		m.rates[channel] = rate{mean, betaPull(rs, mean)}
	}
	return m
}

// betaPull returns the sum of the beta's parameters under which the people's
// answers are likeliest.
func betaPull(rs []Reach, mean float64) float64 {
	slices.SortFunc(rs, func(a, b Reach) int { return a.Contacts*1000003 + a.Answers - b.Contacts*1000003 - b.Answers })
	best, at := math.Inf(-1), 1.0
	for pull := 1.0; pull <= most; pull *= 1.3 {
		a, b := mean*pull, (1-mean)*pull
		sum := 0.0
		for _, r := range rs {
			k, n := float64(min(r.Answers, r.Contacts)), float64(r.Contacts)
			sum += lgamma(a+k) - lgamma(a) + lgamma(b+n-k) - lgamma(b) - lgamma(a+b+n) + lgamma(a+b)
		}
		if sum > best {
			best, at = sum, pull
		}
	}
	return at
}

// Affinity is how likely a person answers a message on a channel.
type Affinity struct {
	Channel  string
	Rate     float64 // chance that the next message is answered
	Lift     float64 // how many times that of people at large
	Contacts int
	Answers  int
}

// Affinity returns how a person takes to a channel; false if too little is known
// of the channel.
func (m *Channels) Affinity(r Reach) (Affinity, bool) {
	on, known := m.rates[r.Channel]
	if !known {
		return Affinity{}, false
	}
	own := (float64(min(r.Answers, r.Contacts)) + on.pull*on.mean) / (float64(r.Contacts) + on.pull)
	return Affinity{Channel: r.Channel, Rate: own, Lift: own / on.mean, Contacts: r.Contacts, Answers: min(r.Answers, r.Contacts)}, true
}

// Evidence says what the affinity rests on, in one sentence.
func (a Affinity) Evidence() string {
	return "answered " + strconv.Itoa(a.Answers) + " of " + strconv.Itoa(a.Contacts) + " messages by " + a.Channel + ", " +
		strconv.FormatFloat(a.Lift, 'f', 1, 64) + " times as many as customers at large once what may be chance is taken off"
}
