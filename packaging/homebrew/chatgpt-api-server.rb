class ChatgptApiServer < Formula
  desc "Self-hosted gateway to the models on all your machines"
  homepage "https://github.com/{{repository}}"
  version "{{version}}"
  license "MIT"

  on_macos do
    on_arm do
      url "{{url-darwin-arm64}}"
      sha256 "{{sha256-darwin-arm64}}"
    end
    on_intel do
      url "{{url-darwin-x64}}"
      sha256 "{{sha256-darwin-x64}}"
    end
  end

  on_linux do
    on_arm do
      url "{{url-linux-arm64}}"
      sha256 "{{sha256-linux-arm64}}"
    end
    on_intel do
      url "{{url-linux-x64}}"
      sha256 "{{sha256-linux-x64}}"
    end
  end

  def install
    bin.install Dir["chatgpt-api-server-*"].first => "chatgpt-api-server"
  end

  def caveats
    <<~TEXT
      To run the server as a service, with an admin key that is generated:
        #{opt_bin}/chatgpt-api-server serve install 8080 --host 127.0.0.1
    TEXT
  end

  test do
    assert_equal "chatgpt-api-server #{version}", shell_output("#{bin}/chatgpt-api-server --version").strip
  end
end
