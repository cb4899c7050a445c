package api

import (
	"net/http"
	"slices"

	"rapport/internal/keys"
	"rapport/internal/people"
)

// Besides the scopes of keys there are two kinds of operation that no key does.
const (
	anybody    keys.Scope = "anybody" // before signing in; it asks for what only the right one has
	personOnly keys.Scope = "person"  // about the person who is signed in
)

var (
	everyRole = people.Roles
	heads     = []people.Role{people.Owner, people.Admin}
	makers    = []people.Role{people.Owner, people.Admin, people.Marketer}
	lookers   = []people.Role{people.Owner, people.Admin, people.Marketer, people.Analyst}
	helpers   = []people.Role{people.Owner, people.Admin, people.Support}
	servants  = []people.Role{people.Owner, people.Admin, people.Marketer, people.Support}
)

// rolesOf returns the roles that may do an operation: what its declaration says, and
// otherwise what goes with the scope that a key needs for it.
func rolesOf(op *operation) []people.Role {
	switch {
	case op.roles != nil:
		return op.roles
	case op.scope == anybody:
		return nil
	case op.scope == keys.Read, op.scope == personOnly:
		return everyRole
	case op.scope == keys.Edit, op.scope == keys.Send:
		return makers
	case op.scope == keys.Erase:
		return helpers
	}
	return heads
}

// admits returns why a caller may not do an operation; nil if they may.
func admits(op *operation, c caller) error {
	switch {
	case op.scope == anybody:
		return nil
	case c.person != nil && slices.Contains(rolesOf(op), c.person.Role):
		return nil
	case c.person != nil:
		return &problem{Status: http.StatusForbidden, Detail: "your role, " + string(c.person.Role) + ", may not do this: ask an owner or an admin"}
	case op.scope == personOnly:
		return &problem{Status: http.StatusForbidden, Detail: "this is for people who are signed in, not for keys"}
	case op.scope == secretOnly && c.key.Kind != keys.Secret:
		return &problem{Status: http.StatusForbidden, Detail: "this needs a secret key"}
	case op.scope == keys.Read && !c.key.May(keys.Read) && c.key.May(keys.Analyse) && slices.Contains(rolesOf(op), people.Analyst):
		return nil // what people who analyse may see, as they may see it
	case op.scope != secretOnly && !c.key.May(op.scope):
		return &problem{Status: http.StatusForbidden, Detail: "this needs a key with the scope " + string(op.scope)}
	}
	return nil
}

// deed reports whether doing an operation stands in the audit trail: what changes
// something, and what hands personal data out in bulk. Service messages do not; they
// are the traffic of a shop's servers, and each stands in its customer's history.
func (op *operation) deed() bool {
	switch {
	case op.traffic:
		return false
	case op.handsOut:
		return true
	}
	return op.method != http.MethodGet && op.scope != keys.Read && op.scope != keys.SQL
}

// security describes who may do an operation.
func security(op *operation) []map[string][]string {
	person := []string{}
	for _, r := range rolesOf(op) {
		person = append(person, string(r))
	}
	switch op.scope {
	case anybody:
		return []map[string][]string{{}}
	case personOnly:
		return []map[string][]string{{"person": person}}
	case secretOnly:
		return []map[string][]string{{"key": {"secret"}}, {"person": person}}
	}
	return []map[string][]string{{"key": {string(op.scope)}}, {"person": person}}
}
