package people

import (
	"cmp"
	"crypto/subtle"
	"slices"
	"time"

	"rapport/internal/fault"
)

const (
	// invitedFor is how long an invitation can be taken up.
	invitedFor = 7 * 24 * time.Hour
	// maxInvited invitations are open at once.
	maxInvited = 500
)

// Invitation lets somebody in, or lets somebody choose another password.
type Invitation struct {
	ID     string    `json:"id"`
	Email  string    `json:"email"`
	Role   Role      `json:"role"`
	Person string    `json:"person,omitempty" doc:"Who may choose another password; absent: somebody new."`
	By     string    `json:"by" doc:"Who invited."`
	Until  time.Time `json:"until"`
}

type invitation struct {
	Invitation
	SHA256 string `json:"sha256"`
}

// SetUp returns the token of a link by which the first owner is made; empty if there
// are people already. A later call makes an earlier link worthless.
func (b *Book) SetUp() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.c.People) > 0 {
		return ""
	}
	text, kept := token()
	b.setup = kept
	return text
}

// Empty reports whether nobody is there yet.
func (b *Book) Empty() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return len(b.c.People) == 0
}

// Found makes the first owner, who has the set-up link, and signs them in.
func (b *Book) Found(text, email, name, password string) (s Session, err error) {
	b.mu.RLock()
	right := b.setup != "" && subtle.ConstantTimeCompare([]byte(b.setup), []byte(digest(text))) == 1
	b.mu.RUnlock()
	if !right {
		return s, fault.New(fault.Denied, "this set-up link is none, or was used: the server prints one when it starts and has no people")
	}
	p, hash, err := newPerson(email, name, Owner, password, b.now())
	if err != nil {
		return s, err
	}
	err = b.change(func(c *content) error {
		if len(c.People) > 0 {
			return fault.New(fault.Conflict, "the first owner is there already: ask them for an invitation")
		}
		s = c.open(p, b.now())
		return c.add(p, hash)
	})
	if err == nil {
		b.mu.Lock()
		b.setup = ""
		b.mu.Unlock()
	}
	return s, err
}

func newPerson(email, name string, role Role, password string, now time.Time) (p Person, hash string, err error) {
	email, err1 := address(email)
	name, err2 := checkName(name)
	if err := cmp.Or(err1, err2, checkPassword(password, email)); err != nil {
		return p, "", err
	}
	return Person{newID("person_"), email, name, role, now.UTC().Truncate(time.Millisecond)}, hashPassword(password), nil
}

// Invite makes a link by which somebody new joins with a role, and returns its token:
// the only time at which it can be shown.
func (b *Book) Invite(by Person, email string, role Role) (v Invitation, text string, err error) {
	if email, err = address(email); err != nil {
		return v, "", err
	}
	if err := checkRole(role); err != nil {
		return v, "", err
	}
	if role == Owner && by.Role != Owner {
		return v, "", errOwners
	}
	err = b.change(func(c *content) error {
		if slices.ContainsFunc(c.People, func(e entry) bool { return e.Email == email }) {
			return fault.New(fault.Conflict, "somebody with this e-mail address works here already")
		}
		v, text, err = c.invite(Invitation{Email: email, Role: role, By: by.Name}, b.now())
		return err
	})
	return v, text, err
}

// Reset makes a link by which a person who forgot the password chooses another.
func (b *Book) Reset(by Person, id string) (v Invitation, text string, err error) {
	err = b.change(func(c *content) error {
		i, err := c.mayTouch(by.Role, id, "")
		if err != nil {
			return err
		}
		p := &c.People[i]
		v, text, err = c.invite(Invitation{Email: p.Email, Role: p.Role, Person: p.ID, By: by.Name}, b.now())
		return err
	})
	return v, text, err
}

// invite adds an invitation; one to the same address ends.
func (c *content) invite(v Invitation, now time.Time) (Invitation, string, error) {
	c.Invited = slices.DeleteFunc(c.Invited, func(o invitation) bool { return o.Email == v.Email })
	if len(c.Invited) >= maxInvited {
		return v, "", fault.New(fault.Conflict, "too many invitations are open: take some back")
	}
	text, kept := token()
	v.ID, v.Until = newID("invitation_"), now.UTC().Add(invitedFor).Truncate(time.Second)
	c.Invited = append(c.Invited, invitation{v, kept})
	return v, text, nil
}

// Invitations returns those that can still be taken up.
func (b *Book) Invitations() []Invitation {
	now := b.now()
	b.mu.RLock()
	defer b.mu.RUnlock()
	list := []Invitation{}
	for i := range b.c.Invited {
		if now.Before(b.c.Invited[i].Until) {
			list = append(list, b.c.Invited[i].Invitation)
		}
	}
	return list
}

// TakeBack ends an invitation.
func (b *Book) TakeBack(id string) error {
	return b.change(func(c *content) error {
		before := len(c.Invited)
		c.Invited = slices.DeleteFunc(c.Invited, func(v invitation) bool { return v.ID == id })
		if len(c.Invited) == before {
			return fault.New(fault.NotFound, "there is no such invitation")
		}
		return nil
	})
}

// Join takes an invitation up and signs in. Who had another password is asked for no
// name; their sessions end.
func (b *Book) Join(text, name, password string) (s Session, err error) {
	kept, now := digest(text), b.now()
	find := func(c *content) int {
		return slices.IndexFunc(c.Invited, func(v invitation) bool { return v.SHA256 == kept && now.Before(v.Until) })
	}
	gone := fault.New(fault.Denied, "this invitation is none, was used, or is older than a week: ask for another")
	b.mu.RLock()
	i := find(&b.c)
	var v Invitation
	if i >= 0 {
		v = b.c.Invited[i].Invitation
	}
	b.mu.RUnlock()
	if i < 0 {
		return s, gone
	}
	if v.Person != "" {
		name = v.Email // not used
	}
	p, hash, err := newPerson(v.Email, name, v.Role, password, now)
	if err != nil {
		return s, err
	}
	err = b.change(func(c *content) error {
		i := find(c)
		if i < 0 {
			return gone
		}
		c.Invited = slices.Delete(c.Invited, i, i+1)
		if v.Person == "" {
			s = c.open(p, now)
			return c.add(p, hash)
		}
		k := slices.IndexFunc(c.People, func(e entry) bool { return e.ID == v.Person })
		if k < 0 {
			return gone
		}
		c.People[k].Hash = hash
		c.end(v.Person, "")
		s = c.open(c.People[k].Person, now)
		return nil
	})
	return s, err
}
