//! stub
pub struct Proxy(std::net::SocketAddr);
#[derive(Clone)]
pub struct Control;
impl Proxy {
    pub async fn start(t: std::net::SocketAddr) -> std::io::Result<Self> {
        Ok(Self(t))
    }
    pub fn address(&self) -> std::net::SocketAddr {
        self.0
    }
    pub fn control(&self) -> Control {
        Control
    }
}
impl Control {
    pub fn pass(&self) {}
    pub fn black_hole(&self) {}
    pub fn swallow_answers(&self) {}
    pub fn cut(&self) {}
    pub fn stall(&self) {}
    pub fn drop_every(&self, _: u32) {}
    pub fn delay(&self, _: std::time::Duration) {}
}
