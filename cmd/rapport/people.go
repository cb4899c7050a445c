package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"

	"rapport/internal/clock"
	"rapport/internal/fault"
	"rapport/internal/people"
)

type peopleCmd struct {
	List   peopleListCmd   `cmd:"" default:"withargs" help:"List who works here, and who is invited."`
	Invite peopleInviteCmd `cmd:"" help:"Make a link by which somebody new comes in."`
	Reset  peopleResetCmd  `cmd:"" help:"Make a link by which somebody who forgot the password chooses another: also the only owner."`
}

// staff is where people are looked up: a data directory that no server uses, whose
// holder may do everything, or a running server.
type staff struct {
	Data      string `type:"path" help:"Data directory. If a server uses it, the server is asked, with --key. Default: the server is asked."`
	Server    string `default:"http://127.0.0.1:8080" env:"RAPPORT_SERVER" placeholder:"URL" help:"The running server. Default: ${default}."`
	Key       string `env:"RAPPORT_KEY" placeholder:"rp_s_…" help:"A secret key, for asking a server. Better set in the environment, RAPPORT_KEY."`
	PublicURL string `default:"http://127.0.0.1:8080" placeholder:"URL" help:"Where people will reach the server, for the link that is made on a data directory. Default: ${default}."`
	JSON      bool   `help:"Print as JSON."`
}

// letIn is an invitation with its link.
type letIn struct {
	people.Invitation
	Link string `json:"link"`
}

// office is what both ways can do.
type office interface {
	list(ctx context.Context) (staffList, error)
	invite(ctx context.Context, email string, role people.Role) (letIn, error)
	reset(ctx context.Context, id string) (letIn, error)
}

type staffList struct {
	People  []people.Person     `json:"people"`
	Invited []people.Invitation `json:"invited"`
}

// do calls what with the data directory, or with the server if one uses it or none is
// named.
func (s *staff) do(ctx context.Context, e *env, what func(office) error) (err error) {
	server := remote{Server: s.Server, Key: s.Key}
	if s.Data != "" {
		d, err := openDirectory(ctx, s.Data, opening{clock: clock.Wall(), logger: e.logger})
		switch {
		case fault.Is(err, fault.Conflict) && s.Key != "": // a server has it open
		case fault.Is(err, fault.Conflict):
			return fault.Wrap(fault.Conflict, err, "a server uses "+s.Data+"; it answers too: set RAPPORT_KEY to a secret key, and --server unless it is the default. Or stop the server for a moment")
		case err != nil:
			return err
		default:
			defer func() { err = errors.Join(err, d.close()) }()
			return what(&closedOffice{d.people, strings.TrimRight(s.PublicURL, "/")})
		}
	}
	if s.Key == "" {
		return fmt.Errorf("%w: name a data directory with --data, or set RAPPORT_KEY to a secret key to ask the server at %s", errMisuse, s.Server)
	}
	return what(&openOffice{server})
}

// closedOffice is a data directory that no server uses.
type closedOffice struct {
	book   *people.Book
	public string
}

// terminal is who has the files: they could change them by hand, too.
var terminal = people.Actor{Kind: "terminal", Name: "at the terminal of the server"}

func (o *closedOffice) list(context.Context) (staffList, error) {
	return staffList{o.book.List(), o.book.Invitations()}, nil
}

// deed notes what is about to be done, and what became of it.
func (o *closedOffice) deed(operation, object, detail string, do func(by people.Person) (people.Invitation, string, error)) (letIn, error) {
	n, err := o.book.Begin(terminal, operation, object)
	if err != nil {
		return letIn{}, err
	}
	v, text, err := do(people.Person{Name: terminal.Name, Role: people.Owner})
	status := http.StatusCreated
	if err != nil {
		status, detail = http.StatusConflict, err.Error()
	}
	return letIn{v, o.public + "/join#" + text}, errors.Join(err, o.book.Conclude(n, status, detail))
}

func (o *closedOffice) invite(_ context.Context, email string, role people.Role) (letIn, error) {
	return o.deed("post_invitations", "/invitations", "as "+string(role), func(by people.Person) (people.Invitation, string, error) { return o.book.Invite(by, email, role) })
}

func (o *closedOffice) reset(_ context.Context, id string) (letIn, error) {
	return o.deed("post_people_id_reset", "/people/"+id+"/reset", "", func(by people.Person) (people.Invitation, string, error) { return o.book.Reset(by, id) })
}

// openOffice is a running server.
type openOffice struct{ remote }

func (o *openOffice) list(ctx context.Context) (l staffList, err error) {
	var who struct {
		Data []people.Person `json:"data"`
	}
	var invited struct {
		Data []people.Invitation `json:"data"`
	}
	if err := errors.Join(o.call(ctx, http.MethodGet, "people", nil, &who), o.call(ctx, http.MethodGet, "invitations", nil, &invited)); err != nil {
		return l, err
	}
	return staffList{who.Data, invited.Data}, nil
}

func (o *openOffice) invite(ctx context.Context, email string, role people.Role) (v letIn, err error) {
	return v, o.call(ctx, http.MethodPost, "invitations", map[string]any{"email": email, "role": role}, &v)
}

func (o *openOffice) reset(ctx context.Context, id string) (v letIn, err error) {
	return v, o.call(ctx, http.MethodPost, "people/"+url.PathEscape(id)+"/reset", nil, &v)
}

type peopleListCmd struct{ staff }

// Run lists people and invitations.
func (c *peopleListCmd) Run(ctx context.Context, e *env) error {
	return c.do(ctx, e, func(o office) error {
		l, err := o.list(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return e.printJSON(l)
		}
		w := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "role\temail\tname\tid")
		for _, p := range l.People {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", p.Role, p.Email, p.Name, p.ID)
		}
		for _, v := range l.Invited {
			what := "invited by " + v.By
			if v.Person != "" {
				what = "may choose another password, by " + v.By
			}
			fmt.Fprintf(w, "%s\t%s\t%s, until %s\t%s\n", v.Role, v.Email, what, v.Until.Format("2006-01-02 15:04"), v.ID)
		}
		return w.Flush()
	})
}

type peopleInviteCmd struct {
	staff
	Email string      `arg:"" help:"Whom."`
	Role  people.Role `required:"" enum:"owner,admin,marketer,analyst,support" help:"As what: owner, admin, marketer, analyst or support."`
}

// Run makes an invitation.
func (c *peopleInviteCmd) Run(ctx context.Context, e *env) error {
	return c.do(ctx, e, func(o office) error {
		v, err := o.invite(ctx, c.Email, c.Role)
		if err != nil {
			return err
		}
		return c.tell(e, &v, "joins as "+string(v.Role))
	})
}

type peopleResetCmd struct {
	staff
	Who string `arg:"" help:"E-mail address, or id, of who forgot the password."`
}

// Run makes a link for another password.
func (c *peopleResetCmd) Run(ctx context.Context, e *env) error {
	return c.do(ctx, e, func(o office) error {
		l, err := o.list(ctx)
		if err != nil {
			return err
		}
		for _, p := range l.People {
			if p.ID != c.Who && !strings.EqualFold(p.Email, strings.TrimSpace(c.Who)) {
				continue
			}
			v, err := o.reset(ctx, p.ID)
			if err != nil {
				return err
			}
			return c.tell(e, &v, "chooses another password, which ends every session of theirs")
		}
		return fault.New(fault.NotFound, "nobody with the address or id "+c.Who+" works here: rapport people list says who does")
	})
}

// tell prints a link, the only time that it can be seen.
func (s *staff) tell(e *env, v *letIn, what string) error {
	if s.JSON {
		return e.printJSON(v)
	}
	_, err := fmt.Fprintf(e.out, "By this link %s %s, once and until %s. It is not shown again:\n%s\n", v.Email, what, v.Until.Format("2006-01-02 15:04 MST"), v.Link)
	return err
}
