package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"rapport/internal/fault"
	"rapport/internal/sender"
)

// domainCmd are the commands about sending domains. They may run beside a server
// on the same data directory: it reads what they change within a second.
type domainCmd struct {
	Add    domainAddCmd    `cmd:"" help:"Set up a domain: make its keys and print the DNS records to publish."`
	Check  domainCheckCmd  `cmd:"" help:"Ask DNS whether the domain may send: SPF, DKIM, DMARC."`
	List   domainListCmd   `cmd:"" help:"List the domains with what is known of them."`
	Rotate domainRotateCmd `cmd:"" help:"Make new keys. They sign once a check has seen their records; the old ones go on until then."`
	Pause  domainPauseCmd  `cmd:"" help:"Stop marketing from a domain."`
	Resume domainResumeCmd `cmd:"" help:"Lift the pause of a domain."`
}

// domains opens the sending domains of a data directory. A new directory is made
// if the command may: the domain is often the first thing that is set up.
func domains(dir string, create bool) (*sender.Book, error) {
	if create {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the data directory cannot be made")
		}
	} else if err := mustBeThere(dir); err != nil {
		return nil, err
	}
	key, err := workspaceKey(filepath.Join(dir, "workspace.key"), create)
	if err != nil {
		return nil, err
	}
	return sender.Open(dir, key[:], time.Now)
}

type domainAddCmd struct {
	Domain  string   `arg:"" help:"The domain that signs, such as news.shop.example."`
	Data    string   `required:"" type:"path" help:"Data directory."`
	From    []string `placeholder:"DOMAIN" help:"Further domains that stand in From, below it."`
	Bounces string   `placeholder:"DOMAIN" help:"Domain of the envelope, to which bounces come. Default: the domain."`
	Host    []string `placeholder:"IP" help:"Address of the server that hands the mail on, for SPF."`
	MX      string   `placeholder:"NAME" help:"Public name of this server's door for mail (--mail-listen)."`
	Hourly  int      `placeholder:"N" help:"Most messages of marketing an hour. Default: no limit."`
	Warmup  string   `placeholder:"PLAN" help:"Most messages of marketing a day, from today on, as 50,100,200 …; or default. Then no limit."`
	JSON    bool     `help:"Print the result as JSON."`
}

// Run makes the domain, or changes what is said of it, and prints its records.
func (c *domainAddCmd) Run(e *env) error {
	d := sender.Domain{Name: c.Domain, Froms: lower(c.From), Bounces: strings.ToLower(c.Bounces), Hosts: c.Host, Hourly: c.Hourly}
	if c.Warmup != "" {
		d.Began = time.Now()
		if d.Warm = sender.Warmup; c.Warmup != "default" {
			d.Warm = nil
			for _, part := range strings.Split(c.Warmup, ",") {
				n := 0
				if _, err := fmt.Sscanf(strings.TrimSpace(part), "%d", &n); err != nil {
					return fmt.Errorf("%w: --warmup is a list of numbers such as 50,100,200", errMisuse)
				}
				d.Warm = append(d.Warm, n)
			}
		}
	}
	book, err := domains(c.Data, true)
	if err != nil {
		return err
	}
	if d, err = book.Add(d); err != nil {
		return err
	}
	return e.records(&d, c.MX, c.JSON)
}

func lower(list []string) (out []string) {
	for _, s := range list {
		out = append(out, strings.ToLower(s))
	}
	return out
}

// records prints what to publish in DNS.
func (e *env) records(d *sender.Domain, mx string, asJSON bool) error {
	records := d.Records(mx)
	if asJSON {
		return e.printJSON(map[string]any{"domain": d.Name, "records": records})
	}
	fmt.Fprintf(e.out, "Publish these records, then run: rapport domain check %s\n", d.Name)
	for _, r := range records {
		value := r.Value
		if r.Type == "TXT" {
			value = chunks(value)
		}
		fmt.Fprintf(e.out, "\n; %s\n%s. 3600 IN %s %s\n", r.Why, r.Name, r.Type, value)
	}
	return nil
}

// chunks quotes a text for a zone file: a string in it holds at most 255 bytes.
func chunks(s string) string {
	var parts []string
	for len(s) > 255 {
		parts, s = append(parts, `"`+s[:255]+`"`), s[255:]
	}
	return strings.Join(append(parts, `"`+s+`"`), " ")
}

type domainCheckCmd struct {
	Domain   string `arg:"" help:"The domain."`
	Data     string `required:"" type:"path" help:"Data directory."`
	Resolver string `placeholder:"HOST:PORT" help:"DNS server to ask. Default: the machine's."`
	JSON     bool   `help:"Print the result as JSON."`
}

// Run asks DNS, and fails if the domain is not verified.
func (c *domainCheckCmd) Run(ctx context.Context, e *env) error {
	book, err := domains(c.Data, false)
	if err != nil {
		return err
	}
	d, err := book.Check(ctx, sender.NewResolver(c.Resolver), c.Domain)
	if err != nil {
		return err
	}
	if c.JSON {
		if err := e.printJSON(view(&d, nil)); err != nil {
			return err
		}
	} else {
		for _, p := range d.Problems {
			kind := "mistake"
			if p.Warning {
				kind = "warning"
			}
			fmt.Fprintf(e.out, "%s: %s: %s\n", kind, p.Check, p.What)
			if p.Instead != "" {
				fmt.Fprintf(e.out, "  write: %s\n", p.Instead)
			}
		}
	}
	if d.Verified.IsZero() {
		return fault.New(fault.Invalid, d.Name+" is not verified: its marketing does not leave")
	}
	if !c.JSON {
		fmt.Fprintln(e.out, d.Name, "is verified")
	}
	return nil
}

// status is a domain as commands print it: without its keys.
type status struct {
	Name       string           `json:"name"`
	Froms      []string         `json:"froms,omitempty"`
	Bounces    string           `json:"bounces"`
	Verified   bool             `json:"verified"`
	Checked    time.Time        `json:"checked,omitzero"`
	Problems   []sender.Problem `json:"problems"`
	Signing    []string         `json:"signing_selectors"`
	Paused     time.Time        `json:"paused,omitzero"`
	Why        string           `json:"why,omitempty"`
	Hourly     int              `json:"hourly,omitempty"`
	Warmup     []int            `json:"warmup,omitempty"`
	Began      time.Time        `json:"warmup_began,omitzero"`
	Delivered  int              `json:"delivered_24h"`
	Complaints int              `json:"complaints_24h"`
}

func view(d *sender.Domain, t *sender.Traffic) status {
	s := status{
		Name: d.Name, Froms: d.Froms, Bounces: d.Envelope(), Verified: !d.Verified.IsZero(), Checked: d.Checked, Problems: d.Problems, Signing: []string{},
		Paused: d.Paused, Why: d.Why, Hourly: d.Hourly, Warmup: d.Warm, Began: d.Began,
	}
	if s.Problems == nil {
		s.Problems = []sender.Problem{}
	}
	if k := d.Signs(); k != nil {
		r, ed := d.Selectors(k)
		s.Signing = []string{r, ed}
	}
	if t != nil {
		s.Delivered, s.Complaints = t.Rate(d.Name)
	}
	return s
}

type domainListCmd struct {
	Data string `required:"" type:"path" help:"Data directory."`
	JSON bool   `help:"Print one JSON line a domain."`
}

// Run lists the domains.
func (c *domainListCmd) Run(e *env) error {
	book, err := domains(c.Data, false)
	if err != nil {
		return err
	}
	list, err := book.Domains()
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return errNoDomain
	}
	traffic, err := sender.OpenTraffic(c.Data, book, time.Now, func(string, string, error) {})
	if err != nil {
		return err
	}
	for i := range list {
		s := view(&list[i], traffic)
		if c.JSON {
			if err := e.printJSON(s); err != nil {
				return err
			}
			continue
		}
		state := "not verified"
		if s.Verified {
			state = "verified"
		}
		if !s.Paused.IsZero() {
			state += ", paused since " + s.Paused.Format(time.DateTime) + ": " + s.Why
		}
		fmt.Fprintf(e.out, "%s: %s; %d delivered and %d complaints in 24 hours\n", s.Name, state, s.Delivered, s.Complaints)
	}
	return nil
}

type domainRotateCmd struct {
	Domain string `arg:"" help:"The domain."`
	Data   string `required:"" type:"path" help:"Data directory."`
	JSON   bool   `help:"Print the result as JSON."`
}

// Run makes the next keys and prints their records.
func (c *domainRotateCmd) Run(e *env) error {
	book, err := domains(c.Data, false)
	if err != nil {
		return err
	}
	d, err := book.Rotate(c.Domain)
	if err != nil {
		return err
	}
	if err := e.records(&d, "", c.JSON); err != nil || c.JSON {
		return err
	}
	_, err = fmt.Fprintf(e.out, "\nKeep the records of the old keys for %d days after the check: mail is still on its way.\n", int(sender.Overlap.Hours()/24))
	return err
}

type domainPauseCmd struct {
	Domain string `arg:"" help:"The domain."`
	Data   string `required:"" type:"path" help:"Data directory."`
	Why    string `default:"an operator paused it" help:"The reason, for whoever asks later."`
}

// Run stops marketing from the domain.
func (c *domainPauseCmd) Run(e *env) error {
	book, err := domains(c.Data, false)
	if err != nil {
		return err
	}
	if _, err := book.Pause(c.Domain, c.Why); err != nil {
		return err
	}
	_, err = fmt.Fprintln(e.out, "marketing of", c.Domain, "is paused")
	return err
}

type domainResumeCmd struct {
	Domain string `arg:"" help:"The domain."`
	Data   string `required:"" type:"path" help:"Data directory."`
}

// Run lifts the pause.
func (c *domainResumeCmd) Run(e *env) error {
	book, err := domains(c.Data, false)
	if err != nil {
		return err
	}
	if _, err := book.Resume(c.Domain); err != nil {
		return err
	}
	_, err = fmt.Fprintln(e.out, "marketing of", c.Domain, "goes on")
	return err
}
