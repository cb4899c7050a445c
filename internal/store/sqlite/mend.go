package sqlite

import (
	"context"

	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
)

// changesHold reports whether a row of member_changes can be read.
func changesHold(body []byte) bool {
	if len(body) == 0 || len(body)%changeSize != 0 {
		return false
	}
	for at := changeSize - 1; at < len(body); at += changeSize {
		if body[at] > 1 {
			return false
		}
	}
	return true
}

// mendPage is how many customers mend reads at once.
const mendPage = 500

// mend makes the members of a segment anew from the customers, who each know in which
// segments they are, and takes away the rows that hold what waits, of which one is
// damaged. A customer whose own row is damaged stays where the table has them. It
// reads everybody, so opening takes as long once.
func (s *Store) mend(ctx context.Context, segment uint64) error {
	mended := int64(0)
	for from := (identity.ID{}); ; {
		rows, err := s.Profiles(ctx, from, mendPage)
		if err != nil {
			return err
		}
		for i := range rows {
			p, err := profile.Decode(string(rows[i].Body))
			if err != nil {
				continue
			}
			in, err := s.isMember(ctx, segment, p.ID)
			if err != nil {
				return err
			}
			if is := p.Member(segment).In; is != in {
				s.roster.note(segment, p.ID, is)
				mended++
			}
		}
		if len(rows) < mendPage {
			break
		}
		from = behind(rows[len(rows)-1].ID)
	}
	var body []byte
	ids, in := s.roster.changes(segment)
	for i, id := range ids {
		body = append(append(body, id[:]...), 0)
		if in[i] {
			body[len(body)-1] = 1
		}
	}
	err := s.file.transact(ctx, func(c *conn) error {
		if err := c.exec(dropChanges, segment, s.roster.number); err != nil || len(body) == 0 {
			return err
		}
		s.roster.number++
		return c.exec(addChanges, segment, s.roster.number, body)
	})
	if err == nil {
		s.roster.mended += mended
		s.file.log.Warn("what waited to be written of a segment's members was damaged; it was made anew from the customers", "segment", segment, "memberships", mended)
	}
	return err
}

// isMember reports whether a customer is in a segment as far as the file says.
func (s *Store) isMember(ctx context.Context, segment uint64, id identity.ID) (in bool, err error) {
	if in, known := s.roster.word(segment, id); known {
		return in, nil
	}
	err = s.file.read(ctx, func(c *conn) error {
		in, err = exists(c, "SELECT 1 FROM members WHERE segment = ? AND profile = ?", segment, id[:])
		return err
	})
	return in, err
}

// behind returns the id that follows another; the zero id follows the last.
func behind(id identity.ID) identity.ID {
	for i := len(id) - 1; i >= 0; i-- {
		if id[i]++; id[i] != 0 {
			break
		}
	}
	return id
}
