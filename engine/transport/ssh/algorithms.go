package ssh

import "golang.org/x/crypto/ssh"

// algorithms are the library's, and two good ones that it knows and does not offer: old appliances have nothing else.
func algorithms(legacy bool) ssh.Config {
	var c ssh.Config
	c.SetDefaults()
	c.KeyExchanges = union(c.KeyExchanges, []string{ssh.KeyExchangeDHGEXSHA256, ssh.KeyExchangeDH16SHA512})
	if legacy {
		old := ssh.InsecureAlgorithms()
		c.KeyExchanges = union(c.KeyExchanges, old.KeyExchanges)
		c.Ciphers = union(c.Ciphers, old.Ciphers)
		c.MACs = union(c.MACs, old.MACs)
	}
	return c
}
