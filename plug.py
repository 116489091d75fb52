
import ctypes
orig=ctypes.CDLL
ctypes.CDLL=lambda name,*a,**k: orig('/tmp/wire/mut/libm.so' if name and str(name).endswith('_native.abi3.so') else name,*a,**k)
