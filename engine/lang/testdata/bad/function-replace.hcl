locals {
  a = replace("a", "/(/", "") # ERROR: error parsing regexp: missing closing ): `(`
}
