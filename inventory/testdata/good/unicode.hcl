group "本社" { 棟 = "南館" }
host "受付 01" {
  groups  = ["本社"]
  address = "192.0.2.9"
  説明      = "会議室の隣"
}
