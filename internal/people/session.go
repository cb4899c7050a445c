package people

import (
	"slices"
	"time"

	"rapport/internal/fault"
)

const (
	// sessionFor is how long a person stays signed in: a working week.
	sessionFor = 7 * 24 * time.Hour
	// maxSessions of one person are open at once; the oldest ends for another.
	maxSessions = 10
)

// session is one browser in which somebody is signed in.
type session struct {
	SHA256 string    `json:"sha256"`
	Person string    `json:"person"`
	Until  time.Time `json:"until"`
}

// Session is a session at the only moment at which its token is known.
type Session struct {
	Person Person
	Token  string
	Until  time.Time
}

var errSignIn = fault.New(fault.Denied, "this e-mail address and this password do not go together")

// SignIn opens a session for who knows the password. An unknown address and a wrong
// password are the same Denied, and take the same time.
func (b *Book) SignIn(email, password string) (Session, error) {
	email, err := address(email)
	var who entry
	if err == nil {
		b.mu.RLock()
		if i := slices.IndexFunc(b.c.People, func(e entry) bool { return e.Email == email }); i >= 0 {
			who = b.c.People[i]
		}
		b.mu.RUnlock()
	}
	hash := who.Hash
	if hash == "" {
		hash = nobody
	}
	if right := fits(hash, password); !right || who.ID == "" {
		return Session{}, errSignIn
	}
	var s Session
	err = b.change(func(c *content) error {
		i := slices.IndexFunc(c.People, func(e entry) bool { return e.ID == who.ID && e.Hash == who.Hash })
		if i < 0 {
			return errSignIn // removed, or given another password meanwhile
		}
		s = c.open(c.People[i].Person, b.now())
		return nil
	})
	return s, err
}

// open adds a session of a person.
func (c *content) open(p Person, now time.Time) Session {
	text, kept := token()
	s := Session{p, text, now.Add(sessionFor)}
	own := 0
	for i := len(c.Sessions) - 1; i >= 0; i-- { // the newest are last
		if c.Sessions[i].Person != p.ID {
			continue
		}
		if own++; own >= maxSessions {
			c.Sessions = slices.Delete(c.Sessions, i, i+1)
		}
	}
	c.Sessions = append(c.Sessions, session{kept, p.ID, s.Until})
	return s
}

// end closes the sessions of a person but the one of a token's digest.
func (c *content) end(person, but string) {
	c.Sessions = slices.DeleteFunc(c.Sessions, func(s session) bool { return s.Person == person && s.SHA256 != but })
}

// Find returns who is signed in with a token. The look-up is by its digest, so how
// long it takes tells nothing about tokens that exist.
func (b *Book) Find(text string) (Person, bool) {
	if b == nil || text == "" {
		return Person{}, false
	}
	kept, now := digest(text), b.now()
	b.mu.RLock()
	defer b.mu.RUnlock()
	for i := range b.c.Sessions {
		s := &b.c.Sessions[i]
		if s.SHA256 != kept || !now.Before(s.Until) {
			continue
		}
		if k := slices.IndexFunc(b.c.People, func(e entry) bool { return e.ID == s.Person }); k >= 0 {
			return b.c.People[k].Person, true
		}
	}
	return Person{}, false
}

// SignOut ends the session of a token.
func (b *Book) SignOut(text string) error {
	kept := digest(text)
	return b.change(func(c *content) error {
		c.Sessions = slices.DeleteFunc(c.Sessions, func(s session) bool { return s.SHA256 == kept })
		return nil
	})
}

// Password gives a person another password for the old one, ends every session of
// theirs, and opens a new one.
func (b *Book) Password(id, old, password string) (s Session, err error) {
	b.mu.RLock()
	i := slices.IndexFunc(b.c.People, func(e entry) bool { return e.ID == id })
	var who entry
	if i >= 0 {
		who = b.c.People[i]
	}
	b.mu.RUnlock()
	if i < 0 {
		return s, errNoPerson
	}
	if !fits(who.Hash, old) {
		return s, fault.New(fault.Conflict, "the old password is another")
	}
	if err := checkPassword(password, who.Email); err != nil {
		return s, err
	}
	hash := hashPassword(password)
	err = b.change(func(c *content) error {
		i := slices.IndexFunc(c.People, func(e entry) bool { return e.ID == id })
		if i < 0 {
			return errNoPerson
		}
		c.People[i].Hash = hash
		c.end(id, "")
		s = c.open(c.People[i].Person, b.now())
		return nil
	})
	return s, err
}
