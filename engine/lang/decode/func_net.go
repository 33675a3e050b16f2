package decode

import (
	"errors"
	"math/big"
	"net"
	"net/netip"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/gocty"
)

var cidrNetmaskFunc = textFunc("prefix", "Gives the netmask of an IPv4 prefix.", func(s string) (string, error) {
	prefix, err := parsePrefix(s)
	switch {
	case err != nil:
		return "", err
	case !prefix.Addr().Is4():
		return "", errors.New("IPv6 networks have no netmask")
	}
	return net.IP(net.CIDRMask(prefix.Bits(), 32)).String(), nil
})

var cidrHostFunc = function.New(&function.Spec{
	Description: "Gives the address with a number in a prefix; a negative number counts from the end.",
	Params:      []function.Parameter{{Name: "prefix", Type: cty.String}, {Name: "number", Type: cty.Number}},
	Type:        function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		prefix, err := parsePrefix(args[0].AsString())
		if err != nil {
			return cty.NilVal, function.NewArgError(0, err)
		}
		n := new(big.Int)
		if err := gocty.FromCtyValue(args[1], n); err != nil {
			return cty.NilVal, function.NewArgError(1, err)
		}
		size := new(big.Int).Lsh(big.NewInt(1), uint(prefix.Addr().BitLen()-prefix.Bits()))
		if n.Sign() < 0 {
			n.Add(n, size)
		}
		if n.Sign() < 0 || n.Cmp(size) >= 0 {
			return cty.NilVal, function.NewArgErrorf(1, "%s has no host with this number", prefix)
		}
		return cty.StringVal(plus(prefix.Addr(), n).String()), nil
	},
})

var cidrSubnetFunc = function.New(&function.Spec{
	Description: "Gives the subnet with a number in a prefix that is made longer by some bits.",
	Params:      []function.Parameter{{Name: "prefix", Type: cty.String}, {Name: "bits", Type: cty.Number}, {Name: "number", Type: cty.Number}},
	Type:        function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		prefix, err := parsePrefix(args[0].AsString())
		if err != nil {
			return cty.NilVal, function.NewArgError(0, err)
		}
		var more int
		n := new(big.Int)
		for i, to := range []any{&more, n} {
			if err := gocty.FromCtyValue(args[1+i], to); err != nil {
				return cty.NilVal, function.NewArgError(1+i, err)
			}
		}
		length := prefix.Addr().BitLen()
		if more < 0 || more > length-prefix.Bits() {
			return cty.NilVal, function.NewArgErrorf(1, "%s cannot be made longer by %d bits", prefix, more)
		}
		if n.Sign() < 0 || n.BitLen() > more {
			return cty.NilVal, function.NewArgErrorf(2, "%d bits have no subnet with this number", more)
		}
		bits := prefix.Bits() + more
		n.Lsh(n, uint(length-bits))
		return cty.StringVal(netip.PrefixFrom(plus(prefix.Addr(), n), bits).String()), nil
	},
})

// cidrSubnetsFunc puts the subnets one after the other, each at the first place where one of its size can begin.
var cidrSubnetsFunc = function.New(&function.Spec{
	Description: "Gives subnets of a prefix, one after the other, each made longer by so many bits.",
	Params:      []function.Parameter{{Name: "prefix", Type: cty.String}},
	VarParam:    &function.Parameter{Name: "bits", Type: cty.Number},
	Type:        function.StaticReturnType(cty.List(cty.String)),
	Impl: func(args []cty.Value, ty cty.Type) (cty.Value, error) {
		prefix, err := parsePrefix(args[0].AsString())
		if err != nil {
			return cty.NilVal, function.NewArgError(0, err)
		}
		if len(args) == 1 {
			return cty.ListValEmpty(ty.ElementType()), nil
		}
		length, used := prefix.Addr().BitLen(), new(big.Int)
		room := new(big.Int).Lsh(big.NewInt(1), uint(length-prefix.Bits()))
		var subnets []cty.Value
		for i, arg := range args[1:] {
			var more int
			if err := gocty.FromCtyValue(arg, &more); err != nil {
				return cty.NilVal, function.NewArgError(1+i, err)
			}
			if more < 1 || more > min(32, length-prefix.Bits()) {
				return cty.NilVal, function.NewArgErrorf(1+i, "%s cannot be made longer by %d bits", prefix, more)
			}
			bits := prefix.Bits() + more
			size := new(big.Int).Lsh(big.NewInt(1), uint(length-bits))
			used.Add(used, new(big.Int).Sub(size, big.NewInt(1)))
			used.Div(used, size).Mul(used, size)
			end := new(big.Int).Add(used, size)
			if end.Cmp(room) > 0 {
				return cty.NilVal, function.NewArgErrorf(1+i, "%s has no room left for a subnet of /%d", prefix, bits)
			}
			subnets = append(subnets, cty.StringVal(netip.PrefixFrom(plus(prefix.Addr(), used), bits).String()))
			used = end
		}
		return cty.ListVal(subnets), nil
	},
})

func parsePrefix(s string) (netip.Prefix, error) {
	prefix, err := netip.ParsePrefix(s)
	if err != nil {
		return prefix, errors.New("a prefix like 192.0.2.0/24 is required")
	}
	return prefix.Masked(), nil
}

// plus adds n to an address; the caller saw to it that the sum is in the address's family.
func plus(addr netip.Addr, n *big.Int) netip.Addr {
	sum := new(big.Int).SetBytes(addr.AsSlice())
	sum.Add(sum, n)
	out, _ := netip.AddrFromSlice(sum.FillBytes(make([]byte, addr.BitLen()/8)))
	return out
}
