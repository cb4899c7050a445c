package people

import (
	"slices"
	"strconv"
	"time"

	"rapport/internal/fault"
)

// Approval is how far the four eyes of a campaign are. It holds for one state of the
// definitions: whatever is edited voids it.
type Approval struct {
	Campaign   string    `json:"campaign"`
	Tag        string    `json:"tag" doc:"Of the definitions that were looked at."`
	Recipients int64     `json:"recipients" doc:"How many it would reach when it was asked for."`
	Asked      Actor     `json:"asked_by"`
	At         time.Time `json:"asked_at"`
	Approved   *Actor    `json:"approved_by,omitempty"`
	When       time.Time `json:"approved_at,omitzero"`
}

// author is who put definitions in force.
type author struct {
	Tag string `json:"tag"`
	Who Actor  `json:"who"`
}

const (
	// maxApprovals are kept: the newest. One a campaign.
	maxApprovals = 1000
	// maxAuthors are remembered: an approval is of the definitions in force.
	maxAuthors = 50
	// growth is by how much an audience may have grown since it was approved: people
	// come in every day, and a tenth is no other campaign.
	growth = 10 // per cent
)

// Above returns the number of recipients above which a campaign needs an approval;
// zero: none does.
func (b *Book) Above() int64 {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.c.Above
}

// SetAbove changes it.
func (b *Book) SetAbove(n int64) error {
	return b.change(func(c *content) error { c.Above = n; return nil })
}

// Authored notes who put the definitions of a tag in force.
func (b *Book) Authored(tag string, who Actor) error {
	return b.change(func(c *content) error {
		c.Authors = slices.DeleteFunc(c.Authors, func(a author) bool { return a.Tag == tag })
		c.Authors = append(c.Authors, author{tag, who})
		c.Authors = c.Authors[max(0, len(c.Authors)-maxAuthors):]
		return nil
	})
}

// Author returns who put the definitions of a tag in force; nil if that is not known,
// as for those of the command line.
func (b *Book) Author(tag string) *Actor {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, a := range b.c.Authors {
		if a.Tag == tag {
			return &a.Who
		}
	}
	return nil
}

// Approvals returns every approval that was asked for, one a campaign.
func (b *Book) Approvals() []Approval {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return append([]Approval{}, b.c.Approvals...)
}

// Ask asks for an approval; one of before is void.
func (b *Book) Ask(campaign, tag string, recipients int64, who Actor) (a Approval, err error) {
	a = Approval{Campaign: campaign, Tag: tag, Recipients: recipients, Asked: who, At: b.now().UTC().Truncate(time.Second)}
	return a, b.change(func(c *content) error {
		c.Approvals = slices.DeleteFunc(c.Approvals, func(o Approval) bool { return o.Campaign == campaign })
		c.Approvals = append(c.Approvals, a)
		c.Approvals = c.Approvals[max(0, len(c.Approvals)-maxApprovals):]
		return nil
	})
}

// Approve approves what was asked for, by a person who neither asked nor wrote it,
// and who says how many it reaches. Anything else is a Conflict that says why.
func (b *Book) Approve(campaign, tag string, typed int64, who Actor) (a Approval, err error) {
	err = b.change(func(c *content) error {
		i := slices.IndexFunc(c.Approvals, func(o Approval) bool { return o.Campaign == campaign })
		if i < 0 {
			return fault.New(fault.NotFound, "nobody asked for an approval of this campaign")
		}
		a = c.Approvals[i]
		k := slices.IndexFunc(c.Authors, func(o author) bool { return o.Tag == tag })
		switch {
		case a.Tag != tag:
			return fault.New(fault.Conflict, "the definitions were edited since the approval was asked for: ask again")
		case same(a.Asked, who):
			return fault.New(fault.Conflict, "who asks for an approval cannot give it: ask somebody else")
		case k >= 0 && same(c.Authors[k].Who, who):
			return fault.New(fault.Conflict, "who wrote the definitions cannot approve them: ask somebody else")
		case typed != a.Recipients:
			return errTyped(a.Recipients)
		}
		a.Approved, a.When = &who, b.now().UTC().Truncate(time.Second)
		c.Approvals[i] = a
		return nil
	})
	return a, err
}

func errTyped(want int64) error {
	return fault.New(fault.Conflict, "type the number of recipients, "+strconv.FormatInt(want, 10)+", to show that you have seen it")
}

func same(x, y Actor) bool { return x.Kind == y.Kind && x.ID == y.ID }

// MaySend returns why a campaign that would reach so many may not be sent; nil if it
// may: few enough are reached, or it was approved as it is and the number typed.
func (b *Book) MaySend(campaign, tag string, recipients, typed int64) error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.c.Above == 0 || recipients <= b.c.Above {
		return nil
	}
	i := slices.IndexFunc(b.c.Approvals, func(a Approval) bool { return a.Campaign == campaign })
	above := "it would reach " + strconv.FormatInt(recipients, 10) + ", and above " + strconv.FormatInt(b.c.Above, 10)
	switch {
	case i < 0 || b.c.Approvals[i].Approved == nil:
		return fault.New(fault.Conflict, above+" somebody else must approve it first")
	case b.c.Approvals[i].Tag != tag:
		return fault.New(fault.Conflict, "the definitions were edited since it was approved, which voids the approval: ask again")
	case recipients > b.c.Approvals[i].Recipients+b.c.Approvals[i].Recipients*growth/100:
		return fault.New(fault.Conflict, above+" an approval is needed; the one it has was for "+strconv.FormatInt(b.c.Approvals[i].Recipients, 10)+": ask again")
	case typed != b.c.Approvals[i].Recipients:
		return errTyped(b.c.Approvals[i].Recipients)
	}
	return nil
}
