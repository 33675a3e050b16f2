package winrm

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"hash"
)

// What openssl pkcs8 -topk8 writes: PBES2 of RFC 8018, 6.2, with PBKDF2 and AES-CBC.
var (
	oidPBES2      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidHMACSHA1   = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 7}
	oidHMACSHA256 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}
	keySizes      = map[string]int{"2.16.840.1.101.3.4.1.2": 16, "2.16.840.1.101.3.4.1.22": 24, "2.16.840.1.101.3.4.1.42": 32}
)

type encryptedKey struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

type pbes2 struct {
	Derivation, Cipher pkix.AlgorithmIdentifier
}

type pbkdf2Params struct {
	Salt   []byte
	Rounds int
	Size   int                      `asn1:"optional"`
	Hash   pkix.AlgorithmIdentifier `asn1:"optional"`
}

var errCipher = errors.New("its encryption is not known; convert it: openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW")

// decryptPKCS8 opens an EncryptedPrivateKeyInfo (RFC 5958, 3).
func decryptPKCS8(der []byte, passphrase string) ([]byte, error) {
	var k encryptedKey
	var scheme pbes2
	var derivation pbkdf2Params
	var iv []byte
	if _, err := asn1.Unmarshal(der, &k); err != nil {
		return nil, err
	}
	if !k.Algorithm.Algorithm.Equal(oidPBES2) {
		return nil, errCipher
	}
	if _, err := asn1.Unmarshal(k.Algorithm.Parameters.FullBytes, &scheme); err != nil {
		return nil, err
	}
	size := keySizes[scheme.Cipher.Algorithm.String()]
	if !scheme.Derivation.Algorithm.Equal(oidPBKDF2) || size == 0 {
		return nil, errCipher
	}
	if _, err := asn1.Unmarshal(scheme.Derivation.Parameters.FullBytes, &derivation); err != nil {
		return nil, err
	}
	if _, err := asn1.Unmarshal(scheme.Cipher.Parameters.FullBytes, &iv); err != nil {
		return nil, err
	}
	var sum func() hash.Hash
	switch {
	case derivation.Hash.Algorithm.Equal(oidHMACSHA256):
		sum = sha256.New
	case len(derivation.Hash.Algorithm) == 0, derivation.Hash.Algorithm.Equal(oidHMACSHA1):
		sum = sha1.New
	default:
		return nil, errCipher
	}
	key, err := pbkdf2.Key(sum, passphrase, derivation.Salt, derivation.Rounds, size)
	if err != nil {
		return nil, err
	}
	return unpad(key, iv, k.Data)
}

// unpad decrypts and takes the padding off; a wrong passphrase shows in that.
func unpad(key, iv, data []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	if len(iv) != aes.BlockSize || len(data) == 0 || len(data)%aes.BlockSize != 0 {
		return nil, errors.New("it is damaged")
	}
	plain := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, data)
	n := int(plain[len(plain)-1])
	if n == 0 || n > aes.BlockSize {
		return nil, errors.New("passphrase is wrong")
	}
	plain = plain[:len(plain)-n]
	if _, err := x509.ParsePKCS8PrivateKey(plain); err != nil {
		return nil, errors.New("passphrase is wrong")
	}
	return plain, nil
}

var (
	oidAltName = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidUPN     = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 3}
)

// principalName is the user principal name in a certificate's alternative names (otherName, [MS-WCCE] 2.2.2.7.5), "" for none.
func principalName(c *x509.Certificate) string {
	for _, e := range c.Extensions {
		if !e.Id.Equal(oidAltName) {
			continue
		}
		var names []asn1.RawValue
		if _, err := asn1.Unmarshal(e.Value, &names); err != nil {
			return ""
		}
		for _, n := range names {
			var other struct {
				ID    asn1.ObjectIdentifier
				Value asn1.RawValue `asn1:"tag:0"`
			}
			if n.Class != asn1.ClassContextSpecific || n.Tag != 0 {
				continue
			}
			if _, err := asn1.UnmarshalWithParams(n.FullBytes, &other, "tag:0"); err != nil || !other.ID.Equal(oidUPN) {
				continue
			}
			var text string
			if _, err := asn1.UnmarshalWithParams(other.Value.Bytes, &text, "utf8"); err == nil {
				return text
			}
		}
	}
	return ""
}
