package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"rapport/internal/channels"
	"rapport/internal/clock"
	"rapport/internal/fault"
	"rapport/internal/program"
	"rapport/internal/run"
)

// sampling is what preview and send-test have in common.
type sampling struct {
	Template    string `arg:"" help:"Name of the template: welcome for templates/welcome.html.liquid."`
	Customer    string `required:"" help:"As whom to read it: a customer's id, user id, e-mail address or phone number."`
	Data        string `required:"" type:"path" help:"Data directory that no server is using."`
	Definitions string `type:"path" help:"Folder of definitions to take the template from. Default: those in force."`
	Trigger     string `type:"path" placeholder:"FILE" help:"JSON file with the properties of an event that the message is about. Default: what the customer's last message of this template was about."`
	Locale      string `help:"Language to read it in. Default: the customer's."`
}

// open finds the template and what it is filled with. The caller closes both
// returned things, the node first.
func (c *sampling) open(ctx context.Context, e *env) (d *directory, n *run.Node, p *program.Program, s program.Sample, err error) {
	var src *program.Source
	if c.Definitions != "" {
		if src, err = definitions(c.Definitions); err != nil {
			return nil, nil, nil, s, err
		}
	}
	if d, n, err = audit(ctx, e, c.Data); err != nil {
		return nil, nil, nil, s, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Close(ctx), d.close())
		}
	}()
	if src != nil {
		var bad int
		compiled, problems := program.Compile(src, program.Options{Workspace: workspace, Key: d.key, Products: goods{d.shops.keeper, nil}})
		for _, problem := range problems {
			if !problem.Warning {
				bad++
				fmt.Fprintln(e.err, "mistake:", problem.Error())
			}
		}
		if p = compiled; bad > 0 {
			return d, n, nil, s, fault.New(fault.Invalid, fmt.Sprintf("%d mistakes in %s", bad, c.Definitions))
		}
	} else if p, err = n.Program(ctx); err != nil {
		return d, n, nil, s, err
	}
	if p == nil {
		return d, n, nil, s, fault.New(fault.NotFound, "no definitions are in force in "+c.Data+"; name a folder with --definitions")
	}
	if s, err = n.Sample(ctx, c.Template, c.Customer); err != nil {
		return d, n, p, s, err
	}
	s.Locale = c.Locale
	if c.Trigger != "" {
		raw, err := os.ReadFile(c.Trigger)
		if err != nil {
			return d, n, p, s, fault.Wrap(fault.NotFound, err, "the example event cannot be read")
		}
		if s.Delivery.Props, err = program.Example(raw); err != nil {
			return d, n, p, s, err
		}
		s.Delivery.Product, s.Delivery.Category = "", "" // it is about the event's
	}
	return d, n, p, s, nil
}

type previewCmd struct {
	sampling
	JSON bool   `help:"Print all parts and what is missing as JSON."`
	Out  string `type:"path" placeholder:"DIR" help:"Folder to write TEMPLATE.html, .txt and .json to; made if it is not there."`
}

// Run shows a message as one customer would read it.
func (c *previewCmd) Run(ctx context.Context, e *env) (err error) {
	d, n, p, s, err := c.open(ctx, e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close(ctx), d.close()) }()
	v, err := p.Preview(s, clock.Wall().Now())
	if err != nil {
		return err
	}
	if c.Out != "" {
		if err := writePreview(c.Out, &v); err != nil {
			return err
		}
	}
	if c.JSON {
		return e.printJSON(v)
	}
	return tellPreview(e.out, &v, c.Out)
}

// writePreview writes the parts as files that a browser and an editor open.
func writePreview(dir string, v *program.Preview) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fault.Wrap(fault.Invalid, err, "the folder for the preview cannot be made")
	}
	asJSON, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	for _, part := range []struct{ ending, body string }{{".html", v.HTML}, {".txt", v.Text}, {".json", string(asJSON) + "\n"}} {
		// The name is that of a template, which has only small letters, digits, - and _.
		if err := os.WriteFile(filepath.Join(dir, v.Template+part.ending), []byte(part.body), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func tellPreview(w io.Writer, v *program.Preview, out string) error {
	if v.Aborted != "" {
		_, err := fmt.Fprintf(w, "This customer would get no message: %s.\n", v.Aborted)
		return err
	}
	fmt.Fprintf(w, "Subject:    %s\n", v.Subject)
	if v.Preheader != "" {
		fmt.Fprintf(w, "Preheader:  %s\n", v.Preheader)
	}
	fmt.Fprintf(w, "Language:   %s\n\n%s", v.Locale, v.Text)
	for _, g := range v.Gaps {
		fmt.Fprintf(w, "\nmissing: %s at %s:%d; a send would fail there", g.What, g.File, g.Line)
	}
	if out != "" {
		fmt.Fprintf(w, "\nThe HTML is in %s", filepath.Join(out, v.Template+".html"))
	}
	_, err := fmt.Fprintln(w)
	return err
}

type sendTestCmd struct {
	sampling
	To   string `required:"" help:"Address that gets the test."`
	SMTP string `placeholder:"HOST:PORT" help:"Mail server to send through. Default: none; the test is only worded, and nobody gets it."`
	JSON bool   `help:"Print the result as JSON."`
}

// Run sends a template once to somebody of the shop. It is no delivery: nothing
// of it is written down, counted or measured.
func (c *sendTestCmd) Run(ctx context.Context, e *env) (err error) {
	d, n, p, s, err := c.open(ctx, e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close(ctx), d.close()) }()
	m, err := p.Test(s, c.To, clock.Wall().Now())
	if err != nil {
		return err
	}
	mail := &server{d: d, clock: clock.Wall(), logger: e.logger}
	defer func() { err = errors.Join(err, mail.close(ctx)) }()
	if err := mail.prepareSending(sendingFlags{Unverified: unverifiedSend}); err != nil { // it is signed, if the domain has keys
		return err
	}
	if err := mail.mail(c.SMTP, nil); err != nil {
		return err
	}
	o := mail.carrier.Send(ctx, []channels.Message{m})[0]
	if c.JSON {
		if err := e.printJSON(map[string]any{"state": o.State.String(), "code": o.Code, "detail": o.Detail, "sent": c.SMTP != "" && o.State == channels.Accepted, "subject": m.Subject, "to": c.To, "message_id": m.MessageID}); err != nil {
			return err
		}
	}
	if o.State != channels.Accepted {
		return fault.New(fault.Unavailable, "the test was not taken ("+o.State.String()+"): "+o.Detail)
	}
	switch {
	case c.JSON:
	case c.SMTP == "":
		fmt.Fprintf(e.out, "“%s” is in order, and nobody got it: say with --smtp which mail server takes it to %s\n", m.Subject, c.To)
	default:
		fmt.Fprintf(e.out, "“%s” was sent to %s\n", m.Subject, c.To)
	}
	return nil
}
