echo "The server is installed, and not started. To start it now, and with the machine:"
echo "  sudo systemctl enable --now chatgpt-api-server"
echo "Then open http://127.0.0.1:8080/dashboard and sign in with the admin key:"
echo "  sudo cat /etc/chatgpt-api-server/admin-key"
