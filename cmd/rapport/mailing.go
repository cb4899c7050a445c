package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"rapport/internal/channels"
	"rapport/internal/channels/email"
	"rapport/internal/channels/mailgun"
	"rapport/internal/channels/postmark"
	"rapport/internal/channels/provider"
	"rapport/internal/channels/resend"
	"rapport/internal/channels/sendgrid"
	"rapport/internal/channels/ses"
	"rapport/internal/fault"
)

// mailingFlags say by whom e-mail is carried.
type mailingFlags struct {
	Email           string `placeholder:"URL" help:"Who carries e-mail: smtp://HOST:PORT, ses://REGION, sendgrid:, mailgun://DOMAIN, postmark: or resend:. The secret comes from the environment variable RAPPORT_EMAIL_SECRET or from --email-secret-file, never from here. See docs/email-providers.md."`
	EmailSecretFile string `type:"path" placeholder:"FILE" help:"File that holds the key or password for --email."`
}

// secretVariable holds the secret of --email. A command line is seen by everybody
// on the machine.
const secretVariable = "RAPPORT_EMAIL_SECRET"

// maxSecretFile bounds a file that is read as a secret: one that is larger is
// another file.
const maxSecretFile = 16 << 10

// secret returns the secret for --email; empty if none is set.
func (f *mailingFlags) secret() (provider.Secret, error) {
	if f.EmailSecretFile == "" {
		return provider.Secret(strings.TrimSpace(os.Getenv(secretVariable))), nil
	}
	text, err := secretFrom(f.EmailSecretFile)
	return provider.Secret(text), err
}

// secretFrom reads a secret from a file.
func secretFrom(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fault.Wrap(fault.NotFound, err, "the file with the secret cannot be read")
	}
	if info.Size() > maxSecretFile {
		return "", fault.New(fault.Invalid, path+" is too large to hold a secret")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fault.Wrap(fault.NotFound, err, "the file with the secret cannot be read")
	}
	return strings.TrimSpace(string(b)), nil
}

// carrier carries e-mail until it is closed.
type carrier interface {
	channels.Channel
	Close() error
}

// mailBy sets up where mail goes by --email.
func (s *server) mailBy(f *mailingFlags) error {
	secret, err := f.secret()
	if err != nil {
		return err
	}
	c, vouched, err := s.carrierOf(f.Email, secret)
	if err != nil {
		return err
	}
	s.carrier = c
	if s.sending != nil {
		s.sending.vouched = vouched
	}
	s.mailer, err = s.outlet(true)
	return err
}

// carrierOf returns the channel that an address names. Vouched says that whoever
// carries proves and signs the sending domains itself.
func (s *server) carrierOf(address string, secret provider.Secret) (c carrier, vouched bool, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, false, fault.New(fault.Invalid, "--email cannot be read: it is an address such as postmark: or ses://eu-west-1")
	}
	if _, told := u.User.Password(); told {
		return nil, false, fault.New(fault.Invalid, "a password must not stand in --email, where everybody on this machine can read it: put it into "+secretVariable+" or a file")
	}
	q := u.Query()
	known := map[string][]string{
		"smtp": {"tls", "hello"}, "smtps": {"hello"}, "ses": {"configuration-set"}, "sendgrid": {"region"}, "mailgun": {"region"}, "postmark": {"marketing", "service"}, "resend": nil,
	}
	names, ok := known[u.Scheme]
	if !ok {
		return nil, false, fault.New(fault.Invalid, "--email begins with smtp://, smtps://, ses://, sendgrid:, mailgun://, postmark: or resend:")
	}
	for name := range q {
		// base leads to a proxy, or to a fake on this machine.
		if !slices.Contains(names, name) && (name != "base" || strings.HasPrefix(u.Scheme, "smtp")) {
			return nil, false, fault.New(fault.Invalid, "--email "+u.Scheme+" does not know "+name+"; it knows "+strings.Join(append(names, "base"), ", "))
		}
	}
	o := provider.Options{Base: q.Get("base"), Log: s.logger}
	switch u.Scheme {
	case "smtp", "smtps":
		c, err := s.smtp(u, secret)
		if err != nil {
			return nil, false, err // a nil channel in an interface would not be nil
		}
		return c, false, nil
	case "ses":
		keys, err := awsKeys(string(secret))
		if err != nil {
			return nil, false, err
		}
		c, err := ses.New(ses.Options{Options: o, Credentials: keys, Region: u.Host, ConfigurationSet: q.Get("configuration-set")})
		return closing(c, err)
	case "sendgrid":
		return closing(sendgrid.New(sendgrid.Options{Options: o, Key: secret, Region: q.Get("region")}))
	case "mailgun":
		return closing(mailgun.New(mailgun.Options{Options: o, Key: secret, Domain: u.Host, Region: q.Get("region")}))
	case "postmark":
		return closing(postmark.New(postmark.Options{Options: o, Token: secret, Marketing: q.Get("marketing"), Service: q.Get("service")}))
	}
	return closing(resend.New(resend.Options{Options: o, Key: secret}))
}

// closing is the result of carrierOf for a provider.
func closing(c *provider.Channel, err error) (carrier, bool, error) {
	if err != nil {
		return nil, false, fmt.Errorf("%w (the secret is read from %s or --email-secret-file)", err, secretVariable)
	}
	return c, true, nil
}

// smtp returns the channel to a mail server.
func (s *server) smtp(u *url.URL, secret provider.Secret) (*email.Channel, error) {
	o := email.Options{Addr: u.Host, Hello: u.Query().Get("hello"), User: u.User.Username(), Password: string(secret), Sign: s.sign()}
	if u.Scheme == "smtps" {
		o.TLS = email.TLSImplicit
	}
	if u.Port() == "" {
		port := "587"
		if u.Scheme == "smtps" {
			port = "465"
		}
		o.Addr = net.JoinHostPort(u.Hostname(), port)
	}
	switch u.Query().Get("tls") {
	case "", "offered":
		if o.User != "" && u.Scheme == "smtp" {
			o.TLS = email.TLSRequired // a password does not travel in the open
		}
	case "required":
		o.TLS = email.TLSRequired
	case "never":
		o.TLS = email.TLSNever
	default:
		return nil, fault.New(fault.Invalid, "tls is offered, required or never")
	}
	if o.User == "" {
		o.Password = ""
	}
	return email.New(o)
}

// awsKeys reads keys of AWS: those of RAPPORT_EMAIL_SECRET, as ID:SECRET or
// ID:SECRET:TOKEN, or those of the variables that AWS's own tools read.
func awsKeys(secret string) (ses.Credentials, error) {
	if secret == "" {
		return ses.Credentials{ID: os.Getenv("AWS_ACCESS_KEY_ID"), Secret: provider.Secret(os.Getenv("AWS_SECRET_ACCESS_KEY")), Token: provider.Secret(os.Getenv("AWS_SESSION_TOKEN"))}, nil
	}
	parts := strings.SplitN(secret, ":", 3)
	if len(parts) < 2 {
		return ses.Credentials{}, fault.New(fault.Invalid, "the secret for SES is the access key id, a colon and the secret access key")
	}
	keys := ses.Credentials{ID: parts[0], Secret: provider.Secret(parts[1])}
	if len(parts) == 3 {
		keys.Token = provider.Secret(parts[2])
	}
	return keys, nil
}

// mailingMetrics tell whether the provider refuses us.
func (s *server) mailingMetrics(gauge func(name, help string, value func() float64)) {
	if c, ok := s.carrier.(*provider.Channel); ok {
		gauge("email_provider_trouble", "1 while the e-mail provider refuses us and nothing is sent, for a key, an account or a domain that somebody must mend.", func() float64 {
			if c.Trouble() != "" {
				return 1
			}
			return 0
		})
	}
}

var errTwoCarriers = errors.New("--smtp and --email say both who carries e-mail: keep one")
