package main

import (
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"

	"rapport/internal/channels/mailgun"
	"rapport/internal/channels/postmark"
	"rapport/internal/channels/provider"
	"rapport/internal/channels/resend"
	"rapport/internal/channels/sendgrid"
	"rapport/internal/channels/ses"
	"rapport/internal/fault"
	"rapport/internal/hooks"
	"rapport/internal/site"
)

// hooksCmd are the commands about webhooks that providers send. They may run
// beside a server on the same data directory: it sees a change at the next webhook.
type hooksCmd struct {
	Add    hooksAddCmd    `cmd:"" help:"Believe the webhooks of an account: ses, sendgrid, mailgun, postmark or resend."`
	List   hooksListCmd   `cmd:"" help:"List the accounts whose webhooks are believed."`
	Remove hooksRemoveCmd `cmd:"" help:"Believe an account's webhooks no more."`
}

// hookSecretVariable holds the secret of a webhook.
const hookSecretVariable = "RAPPORT_HOOK_SECRET"

// hookUser is the name by which Postmark logs in.
const hookUser = "rapport"

// openHooks opens the book of a data directory.
func openHooks(dir string) (*hooks.Book, error) {
	if err := mustBeThere(dir); err != nil {
		return nil, err
	}
	return hooks.OpenBook(dir, hookReader), nil
}

// hookReader returns who reads the webhooks of a source.
func hookReader(s hooks.Source) (provider.Reader, error) {
	switch s.Provider {
	case "ses":
		return ses.NewReader(ses.Hook{Topics: strings.FieldsFunc(s.Secret, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' }), Judge: judgeAgent})
	case "sendgrid":
		return sendgrid.NewReader(sendgrid.Hook{PublicKey: s.Secret, Judge: judgeAgent})
	case "mailgun":
		return mailgun.NewReader(mailgun.Hook{Key: provider.Secret(s.Secret), Judge: judgeAgent})
	case "postmark":
		return postmark.NewReader(postmark.Hook{User: hookUser, Password: provider.Secret(s.Secret), Judge: judgeAgent})
	case "resend":
		return resend.NewReader(resend.Hook{Secret: provider.Secret(s.Secret), Judge: judgeAgent})
	}
	return nil, fault.New(fault.Invalid, "webhooks are read of ses, sendgrid, mailgun, postmark and resend, not of "+s.Provider)
}

// judgeAgent judges whoever opened or clicked at a provider by the User-Agent, as
// the pages of our own do.
func judgeAgent(agent string) string {
	return string(site.NewJudge().Judge(site.Hit{Agent: agent}))
}

type hooksAddCmd struct {
	Provider   string `arg:"" help:"ses, sendgrid, mailgun, postmark or resend."`
	Name       string `arg:"" optional:"" default:"main" help:"Name of the account, in small letters: it stands in the webhook's URL."`
	Data       string `required:"" type:"path" help:"Data directory."`
	SecretFile string `type:"path" placeholder:"FILE" help:"File that holds the webhook's secret. Default: the environment variable RAPPORT_HOOK_SECRET. For ses it is the ARN of the SNS topic, for sendgrid the verification key. For postmark one is made."`
	PublicURL  string `default:"https://YOUR-SERVER" placeholder:"URL" help:"Where providers reach this server, to print the webhook's URL."`
}

// Run keeps the account and prints the URL to give to the provider.
func (c *hooksAddCmd) Run(e *env) error {
	secret := strings.TrimSpace(os.Getenv(hookSecretVariable))
	if c.SecretFile != "" {
		var err error
		if secret, err = secretFrom(c.SecretFile); err != nil {
			return err
		}
	}
	made := c.Provider == "postmark" && secret == ""
	if made {
		secret = strings.ToLower(rand.Text())
	}
	if secret == "" {
		return fault.New(fault.Invalid, "the webhook's secret is missing: put it into "+hookSecretVariable+" or a file for --secret-file. docs/email-providers.md says where "+c.Provider+" shows it")
	}
	book, err := openHooks(c.Data)
	if err != nil {
		return err
	}
	if err := book.Add(hooks.Source{Provider: c.Provider, Name: c.Name, Secret: secret}); err != nil {
		return err
	}
	address, err := url.Parse(strings.TrimSuffix(c.PublicURL, "/") + hooks.Path(c.Provider, c.Name))
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "--public-url is not a URL")
	}
	note := ""
	if made {
		address.User, note = url.UserPassword(hookUser, secret), " (shown once: it holds the password)"
	}
	_, err = fmt.Fprintf(e.out, "Give this URL to %s%s:\n%s\n", c.Provider, note, address)
	return err
}

type hooksListCmd struct {
	Data string `required:"" type:"path" help:"Data directory."`
	JSON bool   `help:"Print as JSON."`
}

// Run lists the accounts, without their secrets.
func (c *hooksListCmd) Run(e *env) error {
	book, err := openHooks(c.Data)
	if err != nil {
		return err
	}
	list, err := book.Sources()
	if err != nil {
		return err
	}
	type line struct {
		Provider string `json:"provider"`
		Name     string `json:"name"`
		Path     string `json:"path"`
	}
	lines := make([]line, len(list))
	for i, s := range list {
		lines[i] = line{s.Provider, s.Name, hooks.Path(s.Provider, s.Name)}
	}
	if c.JSON {
		return e.printJSON(lines)
	}
	for _, l := range lines {
		fmt.Fprintf(e.out, "%-9s %-20s %s\n", l.Provider, l.Name, l.Path)
	}
	return nil
}

type hooksRemoveCmd struct {
	Provider string `arg:""`
	Name     string `arg:""`
	Data     string `required:"" type:"path" help:"Data directory."`
}

// Run forgets an account.
func (c *hooksRemoveCmd) Run(*env) error {
	book, err := openHooks(c.Data)
	if err != nil {
		return err
	}
	return book.Remove(c.Provider, c.Name)
}

// hook opens the door for webhooks.
func (s *server) hook(mux *routes) {
	s.hooks = hooks.New(hooks.Options{Reader: hooks.OpenBook(s.d.dir, hookReader).Reader, Receiver: s.node, Log: s.logger})
	mux.Open(hooks.Pattern, s.hooks)
}
