package api

import (
	"encoding/base64"
	"strings"

	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
)

// page is one page of a list.
type page[T any] struct {
	Data []T    `json:"data"`
	Next string `json:"next,omitempty" doc:"The cursor of the next page. Absent: this is the last one."`
}

// Paging is how a request says which page it wants.
type Paging struct {
	Cursor string `query:"cursor" maxLength:"200" doc:"The next of the page before. Default: the first page."`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100" doc:"The most that a page may hold."`
}

// cursorOf makes a cursor of a list from where its next page begins. It is opaque,
// so that it may mean something else tomorrow.
func cursorOf(list, at string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(list + "\x00" + at))
}

// from returns where the page begins; empty: at the beginning.
func (p Paging) from(list string) (string, error) {
	if p.Cursor == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	at, ours := strings.CutPrefix(string(b), list+"\x00")
	if err != nil || !ours {
		return "", errCursor
	}
	return at, nil
}

var errCursor = fault.New(fault.Invalid, "the cursor is none of this list: take the next of the page before")

// customer returns the customer id at which the page begins; zero: at the beginning.
func (p Paging) customer(list string) (identity.ID, error) {
	at, err := p.from(list)
	if err != nil || at == "" {
		return identity.ID{}, err
	}
	id, err := identity.ParseID(at)
	if err != nil {
		return id, errCursor
	}
	return id, nil
}

// delivery returns the delivery after which the page begins; zero: at the beginning.
func (p Paging) delivery(list string) (profile.DeliveryID, error) {
	at, err := p.from(list)
	if err != nil || at == "" {
		return profile.DeliveryID{}, err
	}
	id, err := profile.ParseDelivery(at)
	if err != nil {
		return id, errCursor
	}
	return id, nil
}
