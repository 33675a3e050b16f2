package winrm

import "encoding/base64"

// basic is the header that shows name and password with every request; settings see to it that only TLS carries it,
// unless allow_plaintext says otherwise.
func (d *dialer) basic() string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(d.settings.User+":"+d.settings.Password.Reveal()))
}
