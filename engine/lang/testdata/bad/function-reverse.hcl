locals {
  a = reverse("ab") # ERROR: can only reverse list or tuple values, not string
}
