<#
.SYNOPSIS
Installs the executable of chatgpt-api-server on Windows.

.DESCRIPTION
Nothing is changed unless the download is complete, has the checksum of the release, and starts. Running it again upgrades,
or does nothing.

  irm https://github.com/{{repository}}/releases/latest/download/install.ps1 | iex
  & ([scriptblock]::Create((irm https://github.com/{{repository}}/releases/latest/download/install.ps1))) -Version 1.2.3

.PARAMETER Version
The release to install, such as 1.2.3. Default: the latest.

.PARAMETER Dir
The folder to install it in, which is added to the user's PATH. Default: %LOCALAPPDATA%\Programs\chatgpt-api-server

.PARAMETER From
The folder or the URL of the files of a release, with SHA256SUMS, in place of GitHub.
#>
[CmdletBinding()]
param(
  [ValidatePattern('^v?[0-9A-Za-z.+-]*$')][string]$Version = '',
  [string]$Dir = '',
  [string]$From = ''
)

# `exit` would close the window of a user who has piped this script into iex, so errors are thrown.
& {
  Set-StrictMode -Version Latest
  $ErrorActionPreference = 'Stop'
  # The progress bar of Windows PowerShell makes downloads many times slower.
  $ProgressPreference = 'SilentlyContinue'
  $repository = '{{repository}}'
  $name = 'chatgpt-api-server'

  function Get-Target {
    if ($PSVersionTable.PSVersion.Major -ge 6 -and -not $IsWindows) {
      throw 'This script is for Windows. Use install.sh on Linux and macOS.'
    }
    # A 32-bit PowerShell tells the machine's architecture in the second variable.
    $machine = if ($env:PROCESSOR_ARCHITEW6432) { $env:PROCESSOR_ARCHITEW6432 } else { $env:PROCESSOR_ARCHITECTURE }
    switch ($machine) {
      'AMD64' { return 'windows-x64' }
      'ARM64' { return 'windows-arm64' }
      default { throw "There is no executable for $machine. There are some for AMD64 and ARM64." }
    }
  }

  function Save-File([string]$File, [string]$Path) {
    if ($source -match '^https?://') {
      [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
      Invoke-WebRequest -UseBasicParsing -Uri "$source/$File" -OutFile $Path
    } else {
      Copy-Item -LiteralPath (Join-Path $source $File) -Destination $Path
    }
  }

  function Get-Hash([string]$Path) { (Get-FileHash -Algorithm SHA256 -LiteralPath $Path).Hash.ToLowerInvariant() }

  $file = "$name-$(Get-Target).exe"
  $source = $From.TrimEnd('/', '\')
  if (-not $source) {
    if ($repository.StartsWith('{')) {
      throw 'This copy does not know the address of the releases. Take install.ps1 from a release, or give -From.'
    }
    $releases = "https://github.com/$repository/releases"
    $source = if ($Version) { "$releases/download/v$($Version -replace '^v', '')" } else { "$releases/latest/download" }
  } elseif ($Version) {
    throw '-Version and -From exclude each other: -From names the files of one version.'
  }
  if (-not $Dir) { $Dir = Join-Path $env:LOCALAPPDATA "Programs\$name" }
  $Dir = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Dir)
  New-Item -ItemType Directory -Force -Path $Dir | Out-Null

  $installed = Join-Path $Dir "$name.exe"
  $work = Join-Path $Dir ".$name.$PID"
  New-Item -ItemType Directory -Path $work | Out-Null
  try {
    $sums = Join-Path $work 'SHA256SUMS'
    Save-File 'SHA256SUMS' $sums
    $lines = @(Get-Content -LiteralPath $sums | Where-Object { $_ -match "^[0-9a-f]{64} [ *]$([regex]::Escape($file))$" })
    if ($lines.Count -ne 1) { throw "SHA256SUMS of $source does not list $file once. Nothing was installed." }
    $wanted = $lines[0].Substring(0, 64)
    if ((Test-Path -LiteralPath $installed) -and (Get-Hash $installed) -eq $wanted) {
      Write-Host "$installed is this version already."
      return
    }

    Write-Host "Downloading $file from $source"
    $new = Join-Path $work "$name.exe"
    Save-File $file $new
    $actual = Get-Hash $new
    if ($actual -ne $wanted) {
      throw "The checksum of $file is wrong: it is $actual, and SHA256SUMS has $wanted. Nothing was installed."
    }
    $said = & $new --version
    if ($LASTEXITCODE -ne 0) { throw "It does not start on this system (exit code $LASTEXITCODE). Nothing was installed." }

    # Windows does not replace an executable that runs, but renames it.
    $old = "$installed.old"
    Remove-Item -LiteralPath $old -Force -ErrorAction SilentlyContinue
    $hadOne = Test-Path -LiteralPath $installed
    if ($hadOne) { Move-Item -LiteralPath $installed -Destination $old -Force }
    try {
      Move-Item -LiteralPath $new -Destination $installed
    } catch {
      if ($hadOne) { Move-Item -LiteralPath $old -Destination $installed -Force }
      throw
    }
    Remove-Item -LiteralPath $old -Force -ErrorAction SilentlyContinue
    Write-Host "Installed $said as $installed"
  } finally {
    Remove-Item -LiteralPath $work -Recurse -Force -ErrorAction SilentlyContinue
  }

  # Through the registry, which keeps variables such as %USERPROFILE% in the PATH as they are.
  $key = [Microsoft.Win32.Registry]::CurrentUser.OpenSubKey('Environment', $true)
  $path = [string]$key.GetValue('Path', '', 'DoNotExpandEnvironmentNames')
  $folders = @($path -split ';' | Where-Object { $_ })
  if ($folders -notcontains $Dir) {
    $key.SetValue('Path', (@($folders) + $Dir -join ';'), 'ExpandString')
    # Any change by this function tells the programs that run.
    [Environment]::SetEnvironmentVariable('CHATGPT_API_SERVER_INSTALLED', $null, 'User')
    Write-Host "$Dir was added to your PATH. Open a new window to use it."
  }
  $key.Dispose()
  Write-Host ''
  Write-Host "Start a server:              $name 8080"
  Write-Host "or install it as a service:  $name serve install 8080 --host 127.0.0.1"
  Write-Host "Connect a model to a server: $name agent <address that the server prints>"
  Write-Host "Remove the program:          Remove-Item -Recurse '$Dir'"
}
