package people

import (
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"

	"rapport/internal/fault"
)

// Role says what a person may do. The API says which of its operations each may.
type Role string

// The roles.
const (
	Owner    Role = "owner"    // everything, and alone who makes owners
	Admin    Role = "admin"    // everything else: people, keys, policies
	Marketer Role = "marketer" // definitions, campaigns
	Analyst  Role = "analyst"  // looks, and changes nothing
	Support  Role = "support"  // one customer at a time: consents, export, erasure
)

// Roles lists every role, the most powerful first.
var Roles = []Role{Owner, Admin, Marketer, Analyst, Support}

// Person is somebody who can sign in.
type Person struct {
	ID      string    `json:"id"`
	Email   string    `json:"email"`
	Name    string    `json:"name"`
	Role    Role      `json:"role"`
	Created time.Time `json:"created"`
}

const (
	// maxPeople bounds the file: a shop has a dozen, a house of brands some hundred.
	maxPeople = 2000
	// maxName and maxEmail bound what is written into every line of the trail.
	maxName  = 80
	maxEmail = 254
	// minPassword is what NIST SP 800-63B asks of a password that is alone, and
	// maxPassword what hashing is worth.
	minPassword = 12
	maxPassword = 256
)

// address returns an e-mail address in the one form by which people are known.
func address(text string) (string, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	a, err := mail.ParseAddress(text)
	if err != nil || a.Address != text || len(text) > maxEmail {
		return "", fault.New(fault.Invalid, "that is no e-mail address")
	}
	return text, nil
}

func checkName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > maxName || strings.ContainsFunc(name, unicode.IsControl) {
		return "", fault.New(fault.Invalid, "a name has 1 to 80 bytes and no control characters")
	}
	return name, nil
}

func checkRole(r Role) error {
	if !slices.Contains(Roles, r) {
		return fault.New(fault.Invalid, "a role is one of owner, admin, marketer, analyst and support")
	}
	return nil
}

func checkPassword(password, email string) error {
	switch {
	case len(password) < minPassword:
		return fault.New(fault.Invalid, "a password has at least 12 characters; a few words in a row are good ones")
	case len(password) > maxPassword:
		return fault.New(fault.Invalid, "a password has at most 256 bytes")
	case strings.EqualFold(password, email), strings.Count(password, password[:1]) == len(password):
		return fault.New(fault.Invalid, "this password is the first that anybody would try: take another")
	}
	return nil
}
