PYTHON ?= .venv/bin/python

.PHONY: ext
ext: ## Build the C extension in the tree
	@mkdir -p build
	@cmake -S . -B build/ext -G Ninja -DPython_EXECUTABLE=$(abspath $(PYTHON)) >build/ext.log 2>&1 || { cat build/ext.log; exit 1; }
	@cmake --build build/ext
	@cp -u build/ext/_native.abi3.so mcu/media/_native.abi3.so
